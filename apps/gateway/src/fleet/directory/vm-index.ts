import { SortedList } from '../../vms/sorted-list.js';
import { isSuperseded } from '../fleet-view.js';
import type { DirectoryVm } from './directory-vm.js';

/** A place among VMs in the order of lists. */
export interface VmPlace {
  readonly id: string;
  readonly node: string;
}

/** The order of lists: by id, and by node where several have one. */
export function compareVms(a: VmPlace, b: VmPlace): number {
  if (a.id !== b.id) return a.id < b.id ? -1 : 1;
  return a.node === b.node ? 0 : a.node < b.node ? -1 : 1;
}

/** The VMs of all other nodes: by id, and in the order of lists. */
export class VmIndex {
  /** An array only where several nodes claim the id. */
  readonly #byId = new Map<string, DirectoryVm | readonly DirectoryVm[]>();
  readonly #sorted = new SortedList<DirectoryVm>(compareVms);

  get size(): number {
    return this.#sorted.size;
  }

  add(vm: DirectoryVm): void {
    const others = this.#all(vm.id);
    this.#byId.set(vm.id, others.length === 0 ? vm : [...others, vm]);
    this.#sorted.add(vm);
  }

  delete(vm: DirectoryVm): void {
    const others = this.#all(vm.id).filter((each) => each !== vm);
    const [first] = others;
    if (first === undefined) this.#byId.delete(vm.id);
    else this.#byId.set(vm.id, others.length === 1 ? first : others);
    this.#sorted.delete(vm);
  }

  /** Those that claim the id, without whom another has followed under a later lease. */
  find(id: string): readonly DirectoryVm[] {
    const all = this.#all(id);
    return all.length < 2 ? all : all.filter((vm) => !all.some((other) => isSuperseded(vm, other)));
  }

  /** In order, behind a place. */
  *after(place?: VmPlace): Generator<DirectoryVm> {
    for (const vm of this.#sorted.from(place && ((each) => compareVms(each, place) > 0))) {
      const found = this.#byId.get(vm.id);
      if (found === vm || this.find(vm.id).includes(vm)) yield vm;
    }
  }

  #all(id: string): readonly DirectoryVm[] {
    const found = this.#byId.get(id);
    return found === undefined ? [] : found instanceof Array ? found : [found];
  }
}
