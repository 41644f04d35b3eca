import type { QmpEvent } from '@qmp-gateway/qmp';
import type { Vm, VmObserver } from '../vms/vm.js';
import type { OperationStore } from './operation-store.js';
import type { WorkFollower } from './work-follower.js';

/** Tells those who follow work what happens to the VMs it goes on in. */
export class VmWorkObserver implements VmObserver {
  constructor(
    private readonly work: WorkFollower,
    private readonly operations: OperationStore,
  ) {}

  ready(vm: Vm): void {
    this.work.ready(vm);
  }

  changed(vm: Vm): void {
    if (!vm.ready) this.work.away(vm);
    if (vm.state === 'closed') this.work.closed(vm);
  }

  event(vm: Vm, event: QmpEvent): void {
    this.work.event(vm, event);
  }

  removed(vm: Vm): void {
    this.operations.forget(vm.id);
    this.work.removed(vm);
  }
}
