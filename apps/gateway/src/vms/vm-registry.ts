import { isDeepStrictEqual } from 'node:util';
import type { Principal } from '../access/principal.js';
import { Problem } from '../problems/problem.js';
import type { StateDirectory } from '../state/state-directory.js';
import type { VmDefinition } from '../settings/settings.js';
import { readVmDefinition } from '../settings/settings-rules.js';
import { vmIdPattern } from '../settings/settings.js';
import { Vm, type VmSource, type VmSurroundings } from './vm.js';

const fileName = 'vms.json';

/** What the registry tells when VMs come and go; changes of a VM itself go to its observer. */
export interface RegistryListener {
  added(vm: Vm): void;
  removed(vm: Vm): void;
  /** The VM, or the one that takes its place, will have these labels. */
  relabelling(vm: Vm, labels: Readonly<Record<string, string>>): void;
  warning(message: string): void;
}

/** Which VMs exist, by id. Those of the API are kept on disk; those of settings and discovery come from there each time. */
export class VmRegistry {
  readonly #vms = new Map<string, Vm>();
  #changes: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly state: StateDirectory,
    private readonly surroundings: VmSurroundings,
    private readonly listener: RegistryListener,
  ) {}

  /**
   * The VMs of the settings, then the stored ones; nothing is dialled before `start`.
   * @throws Error naming the file when what was stored can't be understood: starting without it would lose it
   */
  load(settings: ReadonlyMap<string, VmDefinition>): void {
    for (const [id, definition] of settings) this.#add(id, definition, 'settings');
    for (const [id, definition] of this.#stored()) {
      if (this.#vms.has(id)) this.listener.warning(`VM ${id} is stored and in the settings; the settings win`);
      else this.#add(id, definition, 'api');
    }
  }

  start(): void {
    for (const vm of this.#vms.values()) vm.start();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#vms.values()].map((vm) => vm.stop()));
  }

  get(id: string): Vm | undefined {
    return this.#vms.get(id);
  }

  all(): IterableIterator<Vm> {
    return this.#vms.values();
  }

  /**
   * The VM a principal names.
   * @throws Problem `vm-not-found`, alike for VMs that don't exist and for those it may not see
   */
  require(principal: Principal, id: string): Vm {
    const vm = this.#vms.get(id);
    if (vm === undefined || !principal.sees(vm)) throw vmNotFound(id);
    return vm;
  }

  /**
   * Registers a VM or replaces one that came by the API before. New labels keep the session, anything else starts one.
   * @throws Problem `vm-managed` for one of the settings or of discovery
   */
  put(id: string, definition: VmDefinition): Promise<{ vm: Vm; created: boolean }> {
    return this.#inTurn(() => this.#put(id, definition));
  }

  async #put(id: string, definition: VmDefinition): Promise<{ vm: Vm; created: boolean }> {
    const present = this.#vms.get(id);
    if (present !== undefined) {
      requireOwn(present);
      if (sameConnection(present.definition, definition)) {
        this.#tellRelabelling(present, definition);
        present.relabel(definition.labels);
        this.#store();
        return { vm: present, created: false };
      }
      await present.stop();
      this.#tellRelabelling(present, definition);
    }
    const vm = this.#add(id, definition, 'api');
    this.#store();
    vm.start();
    return { vm, created: present === undefined };
  }

  /** Forgets a VM; the VM itself is not touched. @throws Problem `vm-managed` */
  delete(vm: Vm): Promise<void> {
    requireOwn(vm);
    return this.#inTurn(async () => {
      // A replacement may have come in between; it goes as well.
      const present = this.#vms.get(vm.id);
      if (present === undefined) throw vmNotFound(vm.id);
      this.#vms.delete(vm.id);
      this.#store();
      await present.stop();
      this.listener.removed(present);
    });
  }

  #tellRelabelling(vm: Vm, { labels }: VmDefinition): void {
    if (!isDeepStrictEqual(vm.labels, labels)) this.listener.relabelling(vm, labels);
  }

  /** Changes one after the other: two at once for one id would leave a VM that nobody owns. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#changes.then(change);
    this.#changes = result.catch(() => undefined);
    return result;
  }

  #add(id: string, definition: VmDefinition, source: VmSource): Vm {
    const vm = new Vm(id, definition, source, this.surroundings);
    this.#vms.set(id, vm);
    this.listener.added(vm);
    return vm;
  }

  #store(): void {
    const own = [...this.#vms.values()].filter((vm) => vm.source === 'api');
    const vms = Object.fromEntries(own.map((vm) => [vm.id, vm.definition]));
    this.state.write(fileName, `${JSON.stringify({ vms }, null, 2)}\n`);
  }

  #stored(): [string, VmDefinition][] {
    const text = this.state.read(fileName);
    if (text === undefined) return [];
    const path = this.state.file(fileName);
    try {
      const { vms } = JSON.parse(text) as { vms: Record<string, unknown> };
      return Object.entries(vms).map(([id, stored]) => {
        const { value, faults } = readVmDefinition(stored);
        if (value === undefined || !vmIdPattern.test(id)) throw new Error(`VM ${id}: ${faults.join('; ')}`);
        return [id, value];
      });
    } catch (error) {
      throw new Error(`${path}: not a registry of VMs: ${(error as Error).message}`, { cause: error });
    }
  }
}

export function vmNotFound(id: string): Problem {
  return new Problem('vm-not-found', `There is no VM ${JSON.stringify(id.slice(0, 200))}.`);
}

function requireOwn(vm: Vm): void {
  if (vm.source === 'api') return;
  throw new Problem('vm-managed', `VM ${vm.id} comes from ${vm.source} and is changed there.`, { vm: vm.id });
}

/** True when two definitions differ at most in their labels. */
function sameConnection(a: VmDefinition, b: VmDefinition): boolean {
  return (
    a.endpoint === b.endpoint &&
    a.agent === b.agent &&
    a.kind === b.kind &&
    (a.insecure ?? false) === (b.insecure ?? false) &&
    (a.hostCommands ?? true) === (b.hostCommands ?? true)
  );
}
