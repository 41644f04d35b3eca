import type { QmpEvent } from '@qmp-gateway/qmp';
import type { VmDirectory } from '../vms/vm-directory.js';
import type { Vm, VmObserver } from '../vms/vm.js';
import type { EventHub } from './event-hub.js';

/** Publishes what happens to VMs: their own events, and `vm-changed` and `vm-removed`. */
export class VmPublisher implements VmObserver {
  constructor(
    private readonly hub: EventHub,
    private readonly directory: VmDirectory,
  ) {}

  added(vm: Vm): void {
    this.changed(vm);
  }

  /** Publishes a change once: what leaves the view as it was is no change. */
  changed(vm: Vm): void {
    if (!this.directory.renew(vm)) return;
    const reducedData = this.directory.renderReduced(vm);
    this.hub.publishOwn(vm, 'vm-changed', this.directory.renderFull(vm), { reducedData });
  }

  /** Whoever's scope or selection the VM leaves would keep a row of it for ever. */
  relabelling(vm: Vm, labels: Readonly<Record<string, string>>): void {
    this.hub.publishOwn(vm, 'vm-removed', this.directory.renderRemoved(vm), { successor: { id: vm.id, labels } });
  }

  removed(vm: Vm): void {
    this.hub.publishOwn(vm, 'vm-removed', this.directory.renderRemoved(vm));
  }

  event(vm: Vm, event: QmpEvent): void {
    this.hub.publish(vm, event);
  }

  eventLeftOut(vm: Vm, name: string): void {
    this.hub.publishLeftOut(vm, name);
  }
}
