import { asNumber, asObject, parsedJson } from '@qmp-gateway/qmp';
import type { Descriptor } from '@qmp-gateway/unix-fds';
import type { AuditLog } from '../access/audit/audit-log.js';
import type { AuthenticatedContext } from '../access/authenticated-request.js';
import { forbidden, type Policy } from '../access/policy/policy.js';
import type { CheckedCommandPath } from '../commands/command-path.js';
import type { CommandReply, RequestCommands } from '../commands/request-commands.js';
import type { CommandTrace } from '../http/command-trace.js';
import type { OperationStore } from '../operations/operation-store.js';
import { asProblem, Problem } from '../problems/problem.js';
import { descriptorRefusal } from '../vms/descriptor-passage.js';
import { setsIn } from '../vms/passed-descriptors.js';
import type { Vm } from '../vms/vm.js';
import type { FdRequest, KnownFdShape, PassedFdShape } from './fd-shapes.js';
import type { HostFiles, OpenHostFile } from './host-files.js';
import { openTap } from './tap-interfaces.js';

/** Who wants a VM to have a file, and by which commands it gets it. */
export interface Passing {
  readonly caller: AuthenticatedContext;
  readonly vm: Vm;
  readonly commands: RequestCommands;
}

/** What passing descriptors needs of the gateway. */
export interface PassingParts {
  readonly files: HostFiles;
  readonly path: Pick<CheckedCommandPath, 'resolve'>;
  readonly policy: Policy;
  readonly audit: Pick<AuditLog, 'requireWritable' | 'change'>;
  readonly operations: Pick<OperationStore, 'get'>;
}

/** Opens files of the host and passes them to VMs. */
export class DescriptorPassing {
  constructor(private readonly parts: PassingParts) {}

  /**
   * The caller may run the command, before anything is opened; then the file, then the command. Each attempt that came to a
   * file is audited, with its real path.
   * @throws Problem
   */
  async pass(passing: Passing, request: FdRequest): Promise<{ passed: PassedFdShape; trace: CommandTrace }> {
    const { caller, vm } = passing;
    this.#requireAllowed(passing, request.fdset === true ? 'add-fd' : 'getfd');
    const { audit } = this.parts;
    audit.requireWritable();
    const asked = { vm: vm.id, path: request.path ?? `tap ${request.tap ?? ''}`, flags: request.flags };
    try {
      const opened = await this.#open(request);
      const given = await this.#give(passing, request, opened);
      const { use, path } = given.passed;
      audit.change(caller.principal, caller, 'descriptor-passed', { ...asked, path, use });
      return given;
    } catch (error) {
      const { code } = asProblem(error);
      audit.change(caller.principal, caller, 'descriptor-refused', { ...asked, problem: code });
      throw error instanceof Problem ? error.about({ vm: vm.id }) : error;
    }
  }

  /** What the VM was given, and of sets whether it has them still. */
  async list({ vm, commands }: Passing): Promise<{ fds: KnownFdShape[]; trace: CommandTrace }> {
    const reply = await this.#knownSets(vm, commands);
    const sets = reply === undefined ? undefined : setsIn(Buffer.from(reply.json));
    const names = [...vm.passed.names].map(([use, { epoch }]) => ({ use, epoch, present: null }));
    const ofSets = [...vm.passed.sets].map(([set, { epoch }]) => ({
      ...{ use: `/dev/fdset/${set}`, epoch, present: sets?.has(set) ?? null },
    }));
    return { fds: [...names, ...ofSets], trace: reply?.trace ?? {} };
  }

  async #knownSets(vm: Vm, commands: RequestCommands): Promise<CommandReply | undefined> {
    if (vm.schema?.commands.has('query-fdsets') !== true) return undefined;
    return commands.run('query-fdsets', '{}', { part: true });
  }

  /** @throws Problem */
  #requireAllowed({ caller: { principal }, vm }: Passing, command: string): void {
    const target = this.parts.path.resolve(principal, vm.id, command);
    const refusal = descriptorRefusal(vm);
    if (refusal !== undefined) throw new Problem('not-offered', refusal, { vm: vm.id, command });
    const decision = this.parts.policy.decide(principal, target, undefined);
    if (!decision.allowed) throw forbidden(command, decision).about({ vm: vm.id, command });
  }

  async #open({ path, flags = ['read'], tap, queues = 1 }: FdRequest): Promise<OpenHostFile[]> {
    if (tap !== undefined) return openTap(this.parts.files, tap, queues);
    return [await this.parts.files.open(path ?? '', flags)];
  }

  async #give(
    { vm, commands }: Passing,
    { name = '', fdset, opaque }: FdRequest,
    opened: readonly OpenHostFile[],
  ): Promise<{ passed: PassedFdShape; trace: CommandTrace }> {
    const path = opened[0]?.path ?? '';
    const [first] = opened;
    if (fdset === true && first !== undefined) {
      const reply = await commands.run('add-fd', JSON.stringify({ opaque }), { descriptors: [first.descriptor] });
      const { 'fdset-id': set, fd } = asObject(parsedJson(reply.json)) ?? {};
      const [setNumber, member] = [asNumber(set) ?? null, asNumber(fd) ?? null];
      const use = `/dev/fdset/${setNumber ?? ''}`;
      return { passed: shown(vm, reply, { use, path, names: [], fdset: setNumber, fd: member }), trace: reply.trace };
    }
    const names = opened.map((_, queue) => (opened.length === 1 ? name : `${name}-${queue}`));
    const reply = await this.#nameAll(vm, commands, { names, descriptors: opened.map(({ descriptor }) => descriptor) });
    this.#keep(vm, names, reply);
    return {
      passed: shown(vm, reply, { use: names.join(':'), path, names, fdset: null, fd: null }),
      trace: reply.trace,
    };
  }

  /** One command for each; when one fails the VM is to close those before it. */
  async #nameAll(
    vm: Vm,
    commands: RequestCommands,
    { names, descriptors }: { readonly names: readonly string[]; readonly descriptors: readonly Descriptor[] },
  ): Promise<CommandReply> {
    let last: CommandReply | undefined;
    for (const [at, descriptor] of descriptors.entries()) {
      const args = JSON.stringify({ fdname: names[at] });
      try {
        last = await commands.run('getfd', args, { descriptors: [descriptor], part: at + 1 < names.length });
      } catch (error) {
        for (const rest of descriptors.slice(at)) rest.close();
        await this.#takeBack(vm, commands, names.slice(0, at));
        throw error;
      }
    }
    if (last === undefined) throw new Error('nothing to pass');
    return last;
  }

  /** Of several commands the operation of the last one is kept, which tells of all that was passed. */
  #keep({ id, passed }: Vm, names: readonly string[], { trace: { operation } }: CommandReply): void {
    const kept = operation === undefined ? undefined : this.parts.operations.get(id, operation);
    if (kept !== undefined) kept.descriptors = names.flatMap((name) => passed.names.get(name)?.descriptors ?? []);
  }

  async #takeBack(vm: Vm, commands: RequestCommands, names: readonly string[]): Promise<void> {
    if (vm.schema?.commands.has('closefd') !== true) return;
    for (const fdname of names)
      // What it answers changes nothing of the problem that the caller is told.
      await commands.run('closefd', JSON.stringify({ fdname }), { part: true }).catch(() => undefined);
  }
}

function shown(vm: Vm, { trace }: CommandReply, passed: Omit<PassedFdShape, 'epoch'>): PassedFdShape {
  return { ...passed, epoch: trace.epoch ?? vm.epoch ?? '' };
}
