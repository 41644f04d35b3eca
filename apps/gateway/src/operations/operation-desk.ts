import type { Principal } from '../access/principal.js';
import type { IncomingMessage } from 'node:http';
import type { RequestCommands } from '../commands/request-commands.js';
import { Problem } from '../problems/problem.js';
import { selectsVm, type VmSelector } from '../vms/vm-selector.js';
import type { Vm } from '../vms/vm.js';
import type { VmRegistry } from '../vms/vm-registry.js';
import type { Operation, OperationStore } from './operation-store.js';
import { renderOperation, renderWork } from './operation-view.js';
import type { WorkFollower } from './work-follower.js';
import { cancellationOf } from './cancellation.js';
import { Work } from './work.js';

type AnyOperation = Operation | Work;

/** What became of commands and of their work, for those who may know: whoever began it, and level `host`. */
export class OperationDesk {
  constructor(
    private readonly registry: VmRegistry,
    private readonly operations: OperationStore,
    private readonly work: WorkFollower,
    /** The newest event position. */
    private readonly eventCursor: () => string,
  ) {}

  /** The operations of one VM, the newest first, without what they returned. @throws Problem `vm-not-found` */
  ofVm(principal: Principal, vmId: string): string {
    const rows = this.#rows(principal, this.registry.require(principal, vmId)).sort(newestFirst);
    return `{"operations":[${rows.map(renderRow).join(',')}]}`;
  }

  /**
   * The operations of the selected VMs, the newest first, without what they returned.
   * @param state only those in this state
   */
  ofAll(principal: Principal, selector: VmSelector, state: string | undefined, limit: number): string {
    const rows = [...this.registry.all()]
      .filter((vm) => principal.sees(vm) && selectsVm(selector, vm))
      .flatMap((vm) => this.#rows(principal, vm))
      .concat(this.#ofGone(principal, selector))
      .filter((row) => state === undefined || stateOf(row) === state)
      .sort(newestFirst)
      .slice(0, limit);
    return `{"operations":[${rows.map(renderRow).join(',')}],"cursor":${JSON.stringify(this.eventCursor())}}`;
  }

  /**
   * One operation, with how far it is now.
   * @param waitMs how long to wait for its end
   * @throws Problem `vm-not-found`, `operation-not-found`
   */
  async one(principal: Principal, vmId: string, id: string, waitMs: number, request: IncomingMessage): Promise<string> {
    const found = this.#require(principal, vmId, id);
    if (waitMs > 0) await this.#untilOver(found, waitMs, request);
    // Without anybody who looks, how far it is would be that of long ago.
    else if (found instanceof Work && !found.over)
      await new Promise<void>((resolve) => this.work.onceMeasured(found, resolve));
    const row = this.#find(vmId, id);
    // Its end may be known though its VM is gone.
    if (row === undefined && stateOf(found) === 'running') throw operationNotFound(vmId);
    return render(row ?? found, principal);
  }

  /**
   * Asks the VM to give up what goes on.
   * @param commands those of the request, for this VM
   * @returns the operation, and whether it has ended by now
   * @throws Problem `vm-not-found`, `operation-not-found`, `method-not-allowed` where nothing can be cancelled, and
   *   whatever the command that cancels is refused with
   */
  async cancel(
    principal: Principal,
    commands: RequestCommands,
    vmId: string,
    id: string,
  ): Promise<{ readonly json: string; readonly over: boolean }> {
    const found = this.#require(principal, vmId, id);
    const { command, args = {} } = cancellationOf(found, this.registry.require(principal, vmId));
    await commands.run(command, JSON.stringify(args));
    return { json: render(found, principal), over: found instanceof Work && found.over };
  }

  #rows(principal: Principal, vm: Vm): AnyOperation[] {
    const works = this.work.store.of(vm.id);
    const ids = new Set(works.map(({ record }) => record.id));
    const others = this.operations.list(vm.id).filter(({ id }) => !ids.has(id));
    return [...works, ...others].filter((row) => mayRead(principal, row));
  }

  /** What became of work at VMs that are no more, which nobody knows the labels of. */
  #ofGone(principal: Principal, selector: VmSelector): Work[] {
    return [...this.work.store.all()].filter((work) => {
      const vm = { id: work.record.vm, labels: {} };
      return this.registry.get(vm.id) === undefined && mayReadOfGone(principal, work) && selectsVm(selector, vm);
    });
  }

  #require(principal: Principal, vmId: string, id: string): AnyOperation {
    const kept = this.registry.get(vmId) === undefined ? this.work.store.get(vmId, id) : undefined;
    if (kept !== undefined && mayReadOfGone(principal, kept)) return kept;
    const vm = this.registry.require(principal, vmId);
    const found = this.#find(vm.id, id);
    if (found !== undefined && mayRead(principal, found)) return found;
    throw operationNotFound(vm.id);
  }

  #find(vmId: string, id: string): AnyOperation | undefined {
    return this.work.store.get(vmId, id) ?? this.operations.get(vmId, id);
  }

  /** Resolves when it is over, after `waitMs`, or when the asker leaves. */
  async #untilOver(found: AnyOperation, waitMs: number, { socket }: IncomingMessage): Promise<void> {
    const until = performance.now() + waitMs;
    await new Promise<void>((resolve) => {
      let forget: () => void = () => undefined;
      const finish = () => {
        clearTimeout(timer);
        socket.off('close', finish);
        forget();
        resolve();
      };
      const awaitWork = (work: Work | undefined) => {
        if (work === undefined || work.over) finish();
        else forget = this.work.onceOver(work, until - performance.now(), finish);
      };
      const timer = setTimeout(finish, waitMs);
      socket.once('close', finish);
      if (found instanceof Work) awaitWork(found);
      else if (found.state !== 'running') finish();
      else {
        // The reply may be the end, or its work begins only now.
        const replied = () => awaitWork(this.work.store.get(found.vm, found.id));
        (found.whenEnded ??= new Set()).add(replied);
        forget = () => found.whenEnded?.delete(replied);
      }
    });
  }
}

function operationNotFound(vm: string): Problem {
  return new Problem('operation-not-found', 'There is no such operation, or it is kept no longer.', { vm });
}

function mayRead(principal: Principal, row: AnyOperation): boolean {
  const { principalId } = row instanceof Work ? row.record : row;
  // What nobody began through the gateway belongs to the VM, whose jobs every reader of it may query.
  return principalId === null || principalId === principal.id || principal.reaches('host');
}

/** Whoever began it, though the VM is gone; level `host` where its VMs go by their ids. */
function mayReadOfGone(principal: Principal, { record: { vm, principalId } }: Work): boolean {
  return principalId === principal.id || (principal.reaches('host') && principal.sees({ id: vm, labels: {} }));
}

function render(row: AnyOperation, principal: Principal): string {
  if (row instanceof Work) return renderWork(row);
  // The same principal may have come with more than it has now: a JWT of a lower level, other settings.
  return renderOperation(row, !principal.reaches(row.level));
}

function renderRow(row: AnyOperation): string {
  return row instanceof Work ? renderWork(row, true) : renderOperation(row, true);
}

const startedOf = (row: AnyOperation) => (row instanceof Work ? row.record.started : row.started);
const stateOf = (row: AnyOperation) => (row instanceof Work ? row.record.state : row.state);
const newestFirst = (a: AnyOperation, b: AnyOperation) => startedOf(b) - startedOf(a);
