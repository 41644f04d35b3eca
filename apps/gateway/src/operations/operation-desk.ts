import type { Principal } from '../access/principal.js';
import type { IncomingMessage } from 'node:http';
import { Problem } from '../problems/problem.js';
import { selectsVm, type VmSelector } from '../access/vm-selector.js';
import type { Vm } from '../vms/vm.js';
import type { VmRegistry } from '../vms/vm-registry.js';
import { cancellationOf } from './cancellation.js';
import type { OperationStore } from './operation-store.js';
import { renderOperation } from './operation-view.js';
import type { Operation, WorkingOperation } from './operation.js';
import type { WorkFollower } from './work-follower.js';

/** Runs commands at one VM for whoever asks. */
export interface VmCommands {
  /** @throws Problem when the command did not end well */
  run(command: string, args: string): Promise<unknown>;
}

/** One operation, as its path has it. */
export interface OperationAddress {
  readonly vm: string;
  readonly id: string;
}

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
      .filter((row) => state === undefined || row.shownState === state)
      .sort(newestFirst)
      .slice(0, limit);
    return `{"operations":[${rows.map(renderRow).join(',')}],"cursor":${JSON.stringify(this.eventCursor())}}`;
  }

  /**
   * One operation, with how far it is now.
   * @param waitMs how long to wait for its end
   * @throws Problem `vm-not-found`, `operation-not-found`
   */
  async one(
    principal: Principal,
    address: OperationAddress,
    waitMs: number,
    request: IncomingMessage,
  ): Promise<string> {
    const found = this.#require(principal, address);
    if (waitMs > 0) await this.#untilOver(found, waitMs, request);
    // Without anybody who looks, how far it is would be that of long ago.
    else if (found.work !== null && !found.over)
      await new Promise<void>((resolve) => this.work.measure(found, { waited: () => resolve() }));
    const row = this.operations.get(address.vm, address.id);
    // Its end may be known though its VM is gone.
    if (row === undefined && found.shownState === 'running') throw operationNotFound(address.vm);
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
    address: OperationAddress,
    commands: VmCommands,
  ): Promise<{ readonly json: string; readonly over: boolean }> {
    const found = this.#require(principal, address);
    const { command, args = {} } = cancellationOf(found, this.registry.require(principal, address.vm));
    await commands.run(command, JSON.stringify(args));
    return { json: render(found, principal), over: found.over };
  }

  #rows(principal: Principal, vm: Vm): Operation[] {
    return this.operations.of(vm.id).filter((row) => mayRead(principal, row));
  }

  /** What became of work at VMs that are gone, which nobody knows the labels of. */
  #ofGone(principal: Principal, selector: VmSelector): WorkingOperation[] {
    return [...this.operations.withWork()].filter((row) => {
      const vm = { id: row.vm, labels: {} };
      return this.registry.get(vm.id) === undefined && mayReadOfGone(principal, row) && selectsVm(selector, vm);
    });
  }

  #require(principal: Principal, { vm, id }: OperationAddress): Operation {
    const found = this.operations.get(vm, id);
    if (found?.work != null && this.registry.get(vm) === undefined && mayReadOfGone(principal, found)) return found;
    this.registry.require(principal, vm);
    if (found !== undefined && mayRead(principal, found)) return found;
    throw operationNotFound(vm);
  }

  /** Resolves when it is over, after `waitMs`, or when the asker leaves. */
  async #untilOver(found: Operation, waitMs: number, { socket }: IncomingMessage): Promise<void> {
    if (found.over) return;
    await new Promise<void>((resolve) => {
      const leave = (): void => {
        wait.cancel();
        resolve();
      };
      const waited = (): void => {
        socket.off('close', leave);
        resolve();
      };
      const wait = this.work.await(found, waitMs, { waited });
      socket.once('close', leave);
    });
  }
}

function operationNotFound(vm: string): Problem {
  return new Problem('operation-not-found', 'No operation has this id, or it is no longer kept.', { vm });
}

function mayRead(principal: Principal, { principalId }: Operation): boolean {
  // What nobody began through the gateway belongs to the VM, whose jobs every reader of it may query.
  return principalId === null || principalId === principal.id || principal.reaches('host');
}

/** Whoever began it, though the VM is gone; level `host` where its VMs go by their ids. */
function mayReadOfGone(principal: Principal, { vm, principalId }: Operation): boolean {
  return principalId === principal.id || (principal.reaches('host') && principal.sees({ id: vm, labels: {} }));
}

function render(row: Operation, principal: Principal): string {
  // The same principal may have come with more than it has now: a JWT of a lower level, other settings.
  return renderOperation(row, row.work === null && !principal.reaches(row.level));
}

const renderRow = (row: Operation) => renderOperation(row, true);
const newestFirst = (a: Operation, b: Operation) => b.started - a.started;
