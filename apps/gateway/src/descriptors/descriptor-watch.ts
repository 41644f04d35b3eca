import type { OperationEvents } from '../operations/operation-events.js';
import type { OperationStore } from '../operations/operation-store.js';
import { setsIn, type GivenDescriptor } from '../vms/passed-descriptors.js';
import { answerThroughQueue } from '../vms/query-through-queue.js';
import type { Vm, VmObserver } from '../vms/vm.js';

/** Has the operations that passed descriptors say that those are lost, when their session has ended. */
export class DescriptorWatch implements VmObserver {
  constructor(
    private readonly operations: Pick<OperationStore, 'of'>,
    private readonly events: Pick<OperationEvents, 'changed'>,
  ) {}

  changed(vm: Vm): void {
    if (vm.ready || vm.passed.isEmpty) return;
    const hasEnded = vm.state === 'closed';
    this.#tell(vm, vm.passed.sessionEnded(!hasEnded && mayBeAsked(vm)));
  }

  ready(vm: Vm): void {
    if (vm.passed.isUnsure && mayBeAsked(vm)) void this.#ask(vm);
  }

  /** Without an answer nothing is known: the next session is asked, or the next command that uses a set. */
  async #ask(vm: Vm): Promise<void> {
    const { epoch } = vm;
    const settlement = await answerThroughQueue(vm.queue, vm.monitor, 'query-fdsets');
    const there = settlement.kind === 'return' ? setsIn(settlement.value) : undefined;
    if (there !== undefined && vm.ready && vm.epoch === epoch) this.#tell(vm, vm.passed.setsTold(there));
  }

  #tell(vm: Vm, changed: ReadonlySet<GivenDescriptor>): void {
    if (changed.size === 0) return;
    for (const operation of this.operations.of(vm.id))
      if (operation.descriptors?.some((one) => changed.has(one)) === true) this.events.changed(operation, vm);
  }
}

function mayBeAsked({ schema }: Vm): boolean {
  return schema?.commands.has('query-fdsets') === true;
}
