import type { OnApplicationShutdown } from '@nestjs/common';
import type { Vm, VmObserver } from '../vms/vm.js';
import { serialProblem } from './serial-channel.js';
import type { SerialLine } from './serial-line.js';
import type { SerialSurroundings } from './serial-surroundings.js';
import { VmSerials } from './vm-serials.js';

/** The serial lines of all VMs. */
export class SerialLines implements VmObserver, OnApplicationShutdown {
  readonly #vms = new Map<string, VmSerials>();

  constructor(private readonly surroundings: SerialSurroundings) {}

  of(vm: string): VmSerials | undefined {
    return this.#vms.get(vm);
  }

  /** @throws Problem for an id that is no line's, or while the VM has not told its lines */
  async require(vm: string, id: string): Promise<{ serials: VmSerials; line: SerialLine }> {
    const serials = this.of(vm);
    const line = await serials?.find(id);
    if (serials === undefined || line === undefined) throw serialProblem(vm, id, serials);
    return { serials, line };
  }

  /** Another VM may take the place of one with the same id. */
  added(vm: Vm): void {
    this.#vms.get(vm.id)?.end();
    this.#vms.set(vm.id, new VmSerials(vm, this.surroundings));
  }

  removed(vm: Vm): void {
    const serials = this.#vms.get(vm.id);
    if (serials?.vm !== vm) return;
    serials.end();
    this.#vms.delete(vm.id);
  }

  ready(vm: Vm): void {
    void this.#vms.get(vm.id)?.ready();
  }

  onApplicationShutdown(): void {
    for (const serials of this.#vms.values()) serials.end();
    this.#vms.clear();
  }
}
