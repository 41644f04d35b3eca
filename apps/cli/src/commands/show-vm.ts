import type { Vm } from '@qmp-gateway/client';
import type { CommandContext } from '../command-context.js';
import type { ConnectionFlags } from '../connection.js';
import { exitStatus, type ExitStatus } from '../exit-status.js';
import { readFormat, writeOne } from '../output/formats.js';
import { ageText } from '../output/quantities.js';
import type { detailLines } from '../output/table.js';

type Details = Parameters<typeof detailLines>[0];

/** `vm`: what the gateway knows of one VM. */
export async function showVm(
  context: CommandContext,
  id: string,
  flags: ConnectionFlags & { readonly output: string; readonly wait?: string },
): Promise<ExitStatus> {
  const format = readFormat(flags.output);
  const client = await context.connect(flags);
  const vm = await client.vm(id).get({ wait: flags.wait, signal: context.interruption });
  await writeOne(context.output, format, vm, { name: vm.id, details: detailsOf(vm) });
  return flags.wait === undefined || vm.state === 'ready' ? exitStatus.done : exitStatus.notSent;
}

function detailsOf(vm: Vm): Details {
  const { agent, lastError } = vm;
  const labels = Object.entries(vm.labels).map(([key, value]) => `${key}=${value}`);
  return [
    ['vm', vm.id],
    ['state', vm.state, 'state'],
    ['run state', vm.runState ?? undefined, 'state'],
    ['health', vm.health ?? undefined, 'state'],
    ['since', `${vm.since} (${ageText(vm.since)} ago)`],
    ['server', joined(vm.kind, vm.version, vm.package)],
    ['name', vm.name ?? undefined],
    ['uuid', vm.uuid ?? undefined],
    ['node', vm.node],
    ['labels', labels.length === 0 ? undefined : labels.join(', ')],
    ['source', vm.source],
    ['endpoint', vm.endpoint],
    ['in flight', vm.inFlight === undefined ? undefined : String(vm.inFlight)],
    ['epoch', vm.epoch ?? undefined],
    ['schema', vm.schema ?? undefined],
    ['capabilities', vm.capabilities.join(', ') || undefined],
    ['agent', agent === undefined ? undefined : joined(agent.state, agent.endpoint ?? null)],
    ['dialled again', vm.retryAt],
    [
      'last error',
      lastError === null ? undefined : `${lastError.time} ${lastError.detail ?? lastError.code}`,
      'yellow',
    ],
  ];
}

function joined(...parts: readonly (string | null)[]): string | undefined {
  return parts.filter((part) => part !== null && part !== '').join(' ') || undefined;
}
