import { isDeepStrictEqual } from 'node:util';
import { nearestNames } from '@qmp-gateway/qapi';
import type { Principal } from '../access/principal.js';
import { SerialQueue } from '../bounds/serial-queue.js';
import { didYouMean, Problem } from '../problems/problem.js';
import { SettingsError } from '../settings/load-settings.js';
import type { StateDirectory } from '../state/state-directory.js';
import { readVmDefinition, storedVmKeys, vmIdPattern, type VmDefinition } from '../settings/vm-definition.js';
import type { VmLeases } from './vm-leases.js';
import type { Warnings } from './warnings.js';
import { Vm, type VmSurroundings } from './vm.js';
import type { VmSource, WantedVm } from './wanted-vm.js';

const fileName = 'vms.json';

/** The sources of VMs; an id that several of them name belongs to the first. */
const precedence = ['settings', 'api', 'discovery'] as const satisfies readonly VmSource[];

type Definitions = ReadonlyMap<string, VmDefinition>;

const noLeases: VmLeases = { held: () => undefined };

/** Ids looked at for one that was meant: comparing takes microseconds each, and a mistyped id is no reason to hold others up. */
const mostCompared = 1000;

/** The times of files lag by a step of the kernel's clock (10 ms at most) and more: a younger session may still be of the server before. */
const fileTimeStepMs = 20;

/**
 * Which VMs exist, by id. Three sources say so, each at any time; every change of one is brought about by `#settle`, id
 * by id. What the API said is kept on disk; settings and discovery come from there each time.
 */
export class VmRegistry {
  readonly #vms = new Map<string, Vm>();
  readonly #wanted: Record<VmSource, Definitions> = { settings: new Map(), api: new Map(), discovery: new Map() };
  /** Changes come one after the other: two at once for one id would leave a VM that nobody owns. */
  readonly #changes = new SerialQueue();
  #leases = noLeases;
  #generation = 0;
  #phase: 'loaded' | 'started' | 'stopped' = 'loaded';

  constructor(
    private readonly state: StateDirectory,
    private readonly surroundings: VmSurroundings,
    private readonly log: Warnings,
  ) {}

  /**
   * The VMs of the settings and the stored ones; nothing is dialled before `start`.
   * @throws SettingsError naming the file when what was stored can't be understood: starting without it would lose it
   */
  load(settings: Definitions): void {
    this.#wanted.settings = settings;
    this.#wanted.api = new Map(this.#stored());
    this.#warnOfClashes('api', new Map());
    for (const id of [...settings.keys(), ...this.#wanted.api.keys()]) {
      const wanted = this.#wantedAs(id);
      if (wanted !== undefined && !this.#vms.has(id)) this.#add(id, wanted);
    }
  }

  /** From now on VMs whose endpoint is `shared` are here while this node has its lease. Without leases they are not. */
  leaseBy(leases: VmLeases): void {
    this.#leases = leases;
  }

  /** The endpoints that are wanted here and `shared`, each with its VM, whether it is here now or not. */
  shared(): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    for (const [id, { shared, endpoint }] of this.#wanted.settings) if (shared === true) found.set(endpoint, id);
    return found;
  }

  /** The lease of an endpoint came or went. */
  leaseChanged(endpoint: string): Promise<void> {
    return this.#changes.run(async () => {
      for (const [id, wanted] of this.#wanted.settings)
        if (wanted.shared === true && wanted.endpoint === endpoint) await this.#settle(id);
    });
  }

  start(): void {
    this.#phase = 'started';
    for (const vm of this.#vms.values()) vm.start();
  }

  /** Permanently: what a source names afterwards is not dialled. */
  async stop(): Promise<void> {
    this.#phase = 'stopped';
    await Promise.all([...this.#vms.values()].map((vm) => vm.stop()));
  }

  get(id: string): Vm | undefined {
    return this.#vms.get(id);
  }

  get size(): number {
    return this.#vms.size;
  }

  /** A number that changes whenever the set of VMs does. */
  get generation(): number {
    return this.#generation;
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
    if (vm === undefined || !principal.sees(vm)) throw this.notFound(principal, id);
    return vm;
  }

  /** The answer to an id that is no VM's, or none that the principal may see; names near it are told of those it may. */
  notFound(principal: Principal, id: string): Problem {
    return vmNotFound(id, nearestNames(id, this.#visibleIds(principal)));
  }

  *#visibleIds(principal: Principal): Generator<string> {
    let looked = 0;
    for (const vm of this.#vms.values()) {
      if (looked++ === mostCompared) return;
      if (principal.sees(vm)) yield vm.id;
    }
  }

  /**
   * All the VMs that settings or discovery name now, in place of those they named before. One whose definition is the
   * same object is not looked at.
   */
  provide(source: Exclude<VmSource, 'api'>, definitions: Definitions): Promise<void> {
    return this.#changes.run(async () => {
      const before = this.#wanted[source];
      this.#wanted[source] = definitions;
      this.#warnOfClashes(source, before);
      const ids = new Set([...before.keys(), ...definitions.keys()]);
      const changed = [...ids].filter((id) => before.get(id) !== definitions.get(id));
      await Promise.all(changed.map((id) => this.#settle(id)));
    });
  }

  /** Another server has taken the VM's socket, at `since` (wall clock): a session that is older is with the one before. */
  socketReplaced(source: VmSource, id: string, since: number): Promise<void> {
    return this.#changes.run(async () => {
      const vm = this.#vms.get(id);
      if (vm?.source !== source || vm.monitor.state.since >= since + fileTimeStepMs) return;
      if (vm.ready || vm.monitor.state.name === 'negotiating')
        await this.#replace(vm, { source, definition: vm.definition, lease: vm.lease });
    });
  }

  /**
   * Registers a VM or replaces one that came by the API before. New labels keep the session, anything else starts one.
   * @param check throws when the VM that is there, once all earlier changes are done, speaks against it
   * @throws Problem `vm-managed` for one of the settings or of discovery
   */
  put(
    id: string,
    definition: VmDefinition,
    check: (present: Vm | undefined) => void,
  ): Promise<{ vm: Vm; created: boolean }> {
    return this.#changes.run(async () => {
      const present = this.#vms.get(id);
      check(present);
      if (present !== undefined) requireOwn(present);
      // One whose endpoint is shared is not here while another node has it.
      if (this.#wanted.settings.has(id)) throw managed(id, 'settings');
      this.#store(new Map(this.#wanted.api).set(id, definition));
      await this.#settle(id);
      const vm = this.#vms.get(id);
      if (vm === undefined) throw new Error(`VM ${id} was registered and is not there`);
      return { vm, created: present === undefined };
    });
  }

  /**
   * Forgets a VM; the VM itself is not touched.
   * @param check as of `put`
   * @throws Problem `vm-not-found`, `vm-managed`
   */
  delete(id: string, check: (present: Vm) => void): Promise<void> {
    return this.#changes.run(async () => {
      const present = this.#vms.get(id);
      if (present === undefined) throw vmNotFound(id);
      check(present);
      requireOwn(present);
      const rest = new Map(this.#wanted.api);
      rest.delete(id);
      this.#store(rest);
      await this.#settle(id);
    });
  }

  /** Brings the VM of an id in line with what the sources say. */
  async #settle(id: string): Promise<void> {
    const present = this.#vms.get(id);
    const wanted = this.#wantedAs(id);
    if (wanted === undefined) {
      if (present === undefined) return;
      this.#vms.delete(id);
      this.#generation++;
      await present.stop();
      this.surroundings.observer.removed(present);
      return;
    }
    const { source, definition, lease } = wanted;
    if (present === undefined) this.#begin(this.#add(id, wanted));
    else if (present.source === source && present.lease === lease && sameConnection(present.definition, definition)) {
      this.#announceLabels(present, definition);
      present.redefine(definition);
    } else await this.#replace(present, wanted);
  }

  async #replace(present: Vm, wanted: WantedVm): Promise<void> {
    await present.stop();
    this.#announceLabels(present, wanted.definition);
    this.#begin(this.#add(present.id, wanted));
  }

  #wantedAs(id: string): WantedVm | undefined {
    for (const source of precedence) {
      const definition = this.#wanted[source].get(id);
      if (definition === undefined) continue;
      const lease = definition.shared === true ? this.#leases.held(definition.endpoint) : undefined;
      // Of what another node has now, no other source makes a VM here.
      return definition.shared === true && lease === undefined ? undefined : { source, definition, lease };
    }
    return undefined;
  }

  /** Ids that a source names anew, and another one too. */
  #warnOfClashes(source: VmSource, before: Definitions): void {
    for (const id of this.#wanted[source].keys()) {
      if (before.has(id)) continue;
      const [winner, ...others] = precedence.filter((each) => this.#wanted[each].has(id));
      if (winner !== undefined && others.length > 0)
        this.log.warn(`VM ${id} comes from ${[winner, ...others].join(' and ')}: what ${winner} says counts`);
    }
  }

  #announceLabels(vm: Vm, { labels }: VmDefinition): void {
    if (!isDeepStrictEqual(vm.labels, labels)) this.surroundings.observer.relabelling(vm, labels);
  }

  #add(id: string, wanted: WantedVm): Vm {
    const vm = new Vm(id, wanted, this.surroundings);
    this.#vms.set(id, vm);
    this.#generation++;
    this.surroundings.observer.added(vm);
    return vm;
  }

  #begin(vm: Vm): void {
    if (this.#phase === 'started') vm.start();
  }

  /** It is written to disk before it takes effect. */
  #store(definitions: Definitions): void {
    this.state.write(fileName, `${JSON.stringify({ vms: Object.fromEntries(definitions) }, null, 2)}\n`);
    this.#wanted.api = definitions;
  }

  #stored(): [string, VmDefinition][] {
    const text = this.state.read(fileName);
    if (text === undefined) return [];
    const path = this.state.file(fileName);
    try {
      const { vms } = JSON.parse(text) as { vms: Record<string, unknown> };
      return Object.entries(vms).map(([id, stored]) => {
        const { value, faults } = readVmDefinition(stored, storedVmKeys);
        if (value === undefined || !vmIdPattern.test(id)) throw new Error(`VM ${id}: ${faults.join('; ')}`);
        return [id, value];
      });
    } catch (error) {
      throw new SettingsError([`state: ${path} is not a registry of VMs: ${(error as Error).message}`]);
    }
  }
}

/** @param suggestions ids that the asker may see */
export function vmNotFound(id: string, suggestions: readonly string[] = []): Problem {
  const told = `There is no VM ${JSON.stringify(id.slice(0, 200))}.${didYouMean(suggestions)}`;
  return new Problem('vm-not-found', told, { vm: id.slice(0, 128), suggestions });
}

function requireOwn(vm: Vm): void {
  if (vm.source !== 'api') throw managed(vm.id, vm.source);
}

function managed(id: string, source: VmSource): Problem {
  return new Problem('vm-managed', `VM ${id} comes from ${source} and is changed there.`, { vm: id });
}

/** True when two definitions differ at most in what needs no other session: labels and `hostCommands`. */
function sameConnection(a: VmDefinition, b: VmDefinition): boolean {
  return (
    a.endpoint === b.endpoint &&
    a.agent === b.agent &&
    a.kind === b.kind &&
    (a.insecure ?? false) === (b.insecure ?? false) &&
    isDeepStrictEqual(a.tls, b.tls) &&
    isDeepStrictEqual(a.anchors, b.anchors)
  );
}
