import type { Principal } from '../access/principal.js';
import { matchesAnyGlob } from '../access/glob.js';
import { BoundedMap } from '../bounds/bounded-map.js';
import { everyVm, selectsEverything, selectsVm, type VmSelector } from '../access/vm-selector.js';
import { anySource, gatewaySource, type EventRecord, type SourceSnapshot } from './event-record.js';

/** Which events are wanted. */
export interface EventFilter {
  readonly selector: VmSelector;
  /** Globs of event names; none means all. */
  readonly events: readonly string[];
  /** The one VM, for a path that names it. */
  readonly vm?: string;
}

export const everyEvent: EventFilter = { selector: everyVm, events: [] };

/** A guest cannot choose event names, but a peer that is not QEMU might. */
const nameVerdictsBound = 1000;

/**
 * What one principal gets through one filter, and in which form. Verdicts are kept per source and per event name, so
 * that a flood costs two look-ups for each event.
 */
export class Audience {
  /** Below level `configure` events show no host paths. */
  readonly reduced: boolean;
  /** Audiences of the same key get the same events in the same form. */
  readonly key: string;
  readonly #sources = new WeakMap<SourceSnapshot, boolean>();
  readonly #names = new BoundedMap<string, boolean>(nameVerdictsBound);
  readonly #seesAllOperations: boolean;

  constructor(
    readonly principal: Principal,
    readonly filter: EventFilter,
    /** Integers beyond ±(2^53-1) as strings. */
    readonly int64: 'string' | 'number' = 'number',
  ) {
    this.reduced = !principal.reaches('configure');
    this.#seesAllOperations = principal.reaches('host');
    const { selector, events, vm } = filter;
    this.key = JSON.stringify([principal.id, principal.grant, selector.vms, [...selector.labels], events, vm, int64]);
  }

  wantsSource(source: SourceSnapshot): boolean {
    let verdict = this.#sources.get(source);
    if (verdict === undefined) {
      verdict = this.#judge(source);
      this.#sources.set(source, verdict);
    }
    return verdict;
  }

  wantsName(name: string): boolean {
    const { events } = this.filter;
    if (events.length === 0) return true;
    let verdict = this.#names.get(name);
    if (verdict === undefined) {
      verdict = matchesAnyGlob(events, name);
      this.#names.set(name, verdict);
    }
    return verdict;
  }

  /** For an event from a source that is wanted. */
  wants(event: EventRecord): boolean {
    if (event.missed !== undefined) return true;
    if (event.successor !== undefined && this.wantsSource(event.successor)) return false;
    return this.wantsOwn(event.name, event.only);
  }

  /** The same for an event that does not exist yet: its name, and the one principal it is for. */
  wantsOwn(name: string, only: string | undefined): boolean {
    if (only !== undefined && only !== this.principal.id && !this.#seesAllOperations) return false;
    return this.wantsName(name);
  }

  #judge(source: SourceSnapshot): boolean {
    const { vm, selector } = this.filter;
    if (source === anySource) return true;
    if (source === gatewaySource) return vm === undefined && selectsEverything(selector);
    if (vm !== undefined && vm !== source.id) return false;
    return this.principal.sees(source) && selectsVm(selector, source);
  }
}
