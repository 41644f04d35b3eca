import type { IncomingMessage } from 'node:http';
import { hostname } from 'node:os';
import { systemClock, type Clock } from '@qmp-gateway/qmp';
import type { Principal, VmIdentity } from '../access/principal.js';
import type { Problem } from '../problems/problem.js';
import { renderView, type VmView } from './vm-view.js';
import { selectsVm, type VmSelector } from '../access/vm-selector.js';
import type { FleetRow, FleetRows, RowPlace } from './fleet-rows.js';
import { SortedList } from './sorted-list.js';
import type { Vm } from './vm.js';
import type { VmRegistry } from './vm-registry.js';

/** An {@link EventPosition} as a dependency: the events are above this room. */
export const EventPositionToken = Symbol('eventPosition');

/** Where the sequence of events is. */
export interface EventPosition {
  /** The newest cursor. */
  head(): string;
}

/** Which part of a list is asked for. */
export interface ListPart {
  /** VMs of this node only. */
  readonly node?: string | undefined;
  /** Rows at most; all when absent. */
  readonly limit?: number | undefined;
  /** Behind this place. */
  readonly after?: RowPlace | undefined;
}

/** The rows of a list, and where they end if there are more. */
export interface ListRows {
  readonly rows: readonly string[];
  readonly end: RowPlace | undefined;
}

/** The VMs as clients see them: who may see which, in which form, at one moment. */
export class VmDirectory {
  #views = new WeakMap<Vm, VmView>();
  readonly #waits = new Set<() => void>();
  #sorted = new SortedList(byId);
  #sortedAt = -1;
  #fleet: FleetRows | undefined;
  #node = hostname();
  /** In every view; undefined without a fleet. */
  #shownNode: string | undefined;

  constructor(
    private readonly registry: VmRegistry,
    private readonly events: EventPosition,
    private readonly clock: Clock = systemClock,
  ) {}

  /** @throws Problem `vm-not-found` */
  require(principal: Principal, id: string): Vm {
    return this.registry.require(principal, id);
  }

  /**
   * Makes the view anew.
   * @returns false when it is what it was
   */
  renew(vm: Vm): boolean {
    const before = this.#views.get(vm);
    const view = renderView(vm, this.#shownNode);
    this.#views.set(vm, view);
    return view.full !== before?.full;
  }

  #view(vm: Vm): VmView {
    let view = this.#views.get(vm);
    if (view === undefined) {
      view = renderView(vm, this.#shownNode);
      this.#views.set(vm, view);
    }
    return view;
  }

  renderFull(vm: Vm): string {
    return withInFlight(this.#view(vm).full, vm);
  }

  renderReduced(vm: Vm): string {
    return withInFlight(this.#view(vm).reduced, vm);
  }

  /** What is said about a VM that is gone, as JSON. */
  renderRemoved({ id }: VmIdentity): string {
    return JSON.stringify({ id, node: this.#shownNode });
  }

  /** One VM as this principal may see it. */
  render(principal: Principal, vm: Vm): string {
    return principal.reaches('configure') ? this.renderFull(vm) : this.renderReduced(vm);
  }

  /** From now on views say at which node their VMs are. */
  nameNode(node: string): void {
    this.#node = node;
    this.#shownNode = node;
    this.#views = new WeakMap();
  }

  /** From now on lists have the VMs of other nodes too. */
  join(fleet: FleetRows): void {
    this.#fleet = fleet;
  }

  /** The name of this node. */
  get node(): string {
    return this.#node;
  }

  /** The newest position of the events. */
  head(): string {
    return this.events.head();
  }

  /** Every VM as events last described it. */
  *views(): Generator<{ readonly vm: Vm } & VmView> {
    for (const vm of this.registry.all()) yield { vm, ...this.#view(vm) };
  }

  find(id: string): VmIdentity | undefined {
    return this.registry.get(id);
  }

  notFound(principal: Principal, id: string): Problem {
    return this.registry.notFound(principal, id);
  }

  /** The rows of the selected VMs that this principal sees: in the order of ids where it is a part, or of a fleet. */
  list(principal: Principal, selector: VmSelector, part: ListPart = {}): ListRows {
    const { node, limit = Infinity, after } = part;
    const reduced = !principal.reaches('configure');
    const rows: string[] = [];
    let last: RowPlace | undefined;
    for (const row of this.#rows(after, limit)) {
      if (node !== undefined && row.node !== node) continue;
      if (!principal.sees(row) || !selectsVm(selector, row)) continue;
      if (rows.length === limit) return { rows, end: last };
      rows.push(row.render(reduced));
      last = row;
    }
    return { rows, end: undefined };
  }

  #rows(after: RowPlace | undefined, limit: number): Iterable<FleetRow> {
    const fleet = this.#fleet;
    if (fleet !== undefined) return merged(this.#sortedRows(after), fleet.after(after));
    return limit === Infinity && after === undefined
      ? mapped(this.registry.all(), (vm) => this.#row(vm))
      : this.#sortedRows(after);
  }

  *#sortedRows(after: RowPlace | undefined): Generator<FleetRow> {
    if (this.#sortedAt !== this.registry.generation) {
      this.#sorted = new SortedList(byId);
      for (const vm of this.registry.all()) this.#sorted.add(vm);
      this.#sortedAt = this.registry.generation;
    }
    const isAfter = ({ id }: Vm) =>
      after === undefined || id > after.id || (id === after.id && this.#node > after.node);
    for (const vm of this.#sorted.from(isAfter)) yield this.#row(vm);
  }

  #row(vm: Vm): FleetRow {
    const fleet = this.#fleet;
    const render = (reduced: boolean): string => {
      const view = reduced ? this.renderReduced(vm) : this.renderFull(vm);
      return fleet === undefined ? view : fleet.own(view);
    };
    return { id: vm.id, labels: vm.labels, node: this.#node, render };
  }

  /** Those that wait for a VM are told how it is now. */
  endWaits(): void {
    for (const end of this.#waits) end();
  }

  /** Resolves when the VM is ready or gone, after `waitMs`, when waits are ended, or when the caller leaves. */
  untilReady(vm: Vm, waitMs: number, request: IncomingMessage): Promise<void> {
    return new Promise((resolve) => {
      const { socket } = request;
      let forget: () => unknown = () => undefined;
      const done = () => {
        timer.cancel();
        this.#waits.delete(done);
        socket.off('close', done);
        forget();
        resolve();
      };
      const look = () => {
        if (vm.ready || vm.stopped) done();
        else forget = vm.onceChanged(look);
      };
      const timer = this.clock.schedule(waitMs, done);
      socket.once('close', done);
      this.#waits.add(done);
      look();
    });
  }
}

function byId(a: Vm, b: Vm): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

function* mapped<T, U>(things: Iterable<T>, map: (thing: T) => U): Generator<U> {
  for (const thing of things) yield map(thing);
}

/** Two lists in one order as one. */
function* merged(a: Iterator<FleetRow>, others: Iterable<FleetRow>): Generator<FleetRow> {
  let own = a.next();
  for (const other of others) {
    while (own.done !== true && isBefore(own.value, other)) {
      yield own.value;
      own = a.next();
    }
    yield other;
  }
  for (; own.done !== true; own = a.next()) yield own.value;
}

function isBefore(a: FleetRow, b: FleetRow): boolean {
  return a.id < b.id || (a.id === b.id && a.node < b.node);
}

function withInFlight(json: string, vm: Vm): string {
  return `${json.slice(0, -1)},"inFlight":${vm.inFlight}}`;
}
