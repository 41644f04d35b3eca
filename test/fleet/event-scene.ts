import { FleetLink } from '../../apps/gateway/src/fleet/fleet-link.js';
import { FleetEvents } from '../../apps/gateway/src/fleet/events/fleet-events.js';
import type { FleetEventSettings, FleetSettings } from '../../apps/gateway/src/settings/fleet-settings.js';
import { EventHub } from '../../apps/gateway/src/events/event-hub.js';
import { limits, listen, type Line, type TestSink } from '../../apps/gateway/src/events/event-hub.scene.js';
import { ShownEvents } from '../../apps/gateway/src/events/shown-events.js';
import type { SubscribeOptions } from '../../apps/gateway/src/events/subscribers.js';
import { NatsServers, Scene, type NatsOptions } from '@qmp-gateway/test-kit';

// Nodes of a fleet in this process: hubs and what is between them, without HTTP and VMs.

const usualEvents = {
  ...{ replicas: 1, maxBytes: 64 * 1024 * 1024, maxAge: 3_600_000 },
  ...{ perVmRate: 1_000_000, buffer: 64 * 1024 * 1024 },
};

export interface NodeOptions {
  readonly serve?: boolean;
  readonly manage?: boolean;
  readonly heartbeat?: number;
  readonly events?: Readonly<Partial<Record<keyof FleetEventSettings, number>>>;
  /** Instead of those of the scene. */
  readonly servers?: readonly string[];
  readonly run?: string;
}

let runs = 0;

/** One node: publish to `hub`, listen to `fleet`. */
export class FleetNode {
  readonly hub: EventHub;
  readonly fleet: EventHub;
  readonly shown: ShownEvents;
  readonly link: FleetLink;
  readonly events: FleetEvents;
  readonly warnings: unknown[] = [];

  constructor(name: string, servers: readonly string[], options: NodeOptions) {
    const run = options.run ?? `run${++runs}`;
    const settings: FleetSettings = {
      ...{ name: 'test', node: name, servers, insecure: false, serve: options.serve ?? true, maxLevel: 'host' },
      ...{ heartbeat: options.heartbeat ?? 1000, unreachableAfter: 3000, manage: options.manage ?? true },
      events: { ...usualEvents, ...options.events },
    };
    const log = { info: () => undefined, warn: (fields: unknown) => void this.warnings.push(fields) };
    this.link = new FleetLink(settings, run, log);
    this.hub = new EventHub({ run });
    this.fleet = new EventHub({
      run: `${run}w`,
      subscriber: { ...limits, events: 1_000_000, bytes: 1e9, allBytes: 1e9 },
    });
    this.shown = new ShownEvents(this.hub, settings.serve ? this.fleet : undefined);
    this.events = new FleetEvents({ link: this.link, shown: this.shown, log });
    this.events.side.permit(true);
  }

  async start(): Promise<void> {
    this.events.start();
    await this.link.start();
  }

  async stop(): Promise<void> {
    await this.events.finish();
    await this.link.close();
    this.shown.closeAll();
  }

  /** An event of a VM of this node. */
  publish(vm: string, name: string, data: object = {}): void {
    const at = { timestamp: '{"seconds":1,"microseconds":2}', receivedAt: Date.now() };
    this.hub.publish({ id: vm, labels: {}, epoch: 'e1' }, { name, data: JSON.stringify(data), ...at });
  }

  /** A stream at this node, by default from the beginning. */
  listen(options: Partial<SubscribeOptions> = {}): TestSink {
    return listen(this.fleet, { after: 'oldest', ...options });
  }

  /** Waits until this node has read what that one has published so far. */
  async heard(from: FleetNode): Promise<void> {
    await from.settled();
    const cursor = from.events.ownPosition() ?? '';
    await until(() => {
      const at = this.fleet.readCursor(cursor);
      return at !== undefined && at.run === this.fleet.run;
    }, `events of ${from.link.node}`);
    this.fleet.flush();
  }

  /** Waits until everything that was published here is in the stream. */
  async settled(): Promise<void> {
    await until(() => this.events.isSettled, `the stream to take the events of ${this.link.node}`);
  }
}

export class FleetScene extends Scene {
  servers!: NatsServers;

  async nats(options?: NatsOptions): Promise<NatsServers> {
    this.servers = await this.start(NatsServers.start(options), (servers) => servers.stop());
    return this.servers;
  }

  async node(name: string, options: NodeOptions = {}): Promise<FleetNode> {
    const node = this.keep(new FleetNode(name, options.servers ?? this.servers.urls, options), (made) => made.stop());
    await node.start();
    return node;
  }

  /** One that is in the fleet already. */
  async joined(name: string, options?: NodeOptions): Promise<FleetNode> {
    const node = await this.node(name, options);
    await until(() => node.events.ownPosition() !== undefined, `${name} to join`);
    if (node.shown.fleet !== undefined) await node.heard(node);
    return node;
  }
}

/** Looks every 10 ms. @throws Error when it is not so in time */
export async function until(isSo: () => boolean, what: string, withinMs = 40_000): Promise<void> {
  const late = Date.now() + withinMs;
  while (!isSo()) {
    if (Date.now() > late) throw new Error(`waited in vain for ${what}`);
    await pause(10);
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** The events of VMs in a stream, as `vm number`. */
export function numbers(lines: readonly Line[]): string[] {
  return lines.filter(({ event }) => event === 'TEST').map(({ vm, data }) => `${String(vm)} ${String(data['at'])}`);
}

/** Numbered events of some VMs of a node, so many a second, until it is stopped. */
export class Traffic {
  readonly vms: readonly string[];
  #sent = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly node: FleetNode,
    { perSecond, vms }: { readonly perSecond: number; readonly vms: number },
  ) {
    this.vms = Array.from({ length: vms }, (_, at) => `${node.link.node}-${at}`);
    const began = performance.now();
    this.#timer = setInterval(() => {
      const due = ((performance.now() - began) / 1000) * perSecond;
      while (this.#sent < due) this.#one();
    }, 5);
  }

  get sent(): number {
    return this.#sent;
  }

  /** @returns what a reader must have: of each VM its events in order, from 0 */
  stop(): ReadonlyMap<string, number> {
    clearInterval(this.#timer);
    const counts = new Map(this.vms.map((vm) => [vm, 0]));
    for (let at = 0; at < this.#sent; at++) {
      const vm = this.#vm(at);
      counts.set(vm, (counts.get(vm) ?? 0) + 1);
    }
    return counts;
  }

  #one(): void {
    const at = this.#sent++;
    this.node.publish(this.#vm(at), 'TEST', { at: Math.floor(at / this.vms.length) });
  }

  #vm(at: number): string {
    return this.vms[at % this.vms.length] ?? '';
  }
}

/** What is wrong with what a reader got: each event must be there once, in order per VM. */
export function faultsIn(lines: readonly Line[], expected: ReadonlyMap<string, number>): string[] {
  const faults: string[] = [];
  const next = new Map<string, number>();
  for (const { vm, event, data } of lines) {
    if (event === 'gap') faults.push(`gap ${JSON.stringify(data)}`);
    if (event !== 'TEST' || vm === null || !expected.has(vm)) continue;
    const wanted = next.get(vm) ?? 0;
    if (data['at'] !== wanted) faults.push(`${vm}: ${String(data['at'])} instead of ${wanted}`);
    next.set(vm, Number(data['at']) + 1);
  }
  for (const [vm, count] of expected)
    if ((next.get(vm) ?? 0) !== count) faults.push(`${vm}: ${next.get(vm) ?? 0} of ${count}`);
  return faults;
}

/** What a reader was not told: events of a VM that are not there, or not in order, without a gap before the next one of it. */
export function silentFaultsIn(lines: readonly Line[], expected: ReadonlyMap<string, number>): string[] {
  const faults: string[] = [];
  const next = new Map<string, number>();
  let gapsOfAll = 0;
  const gaps = new Map<string, number>();
  const known = new Map<string, number>();
  const gapsFor = (vm: string) => gapsOfAll + (gaps.get(vm) ?? 0);
  const look = (vm: string, at: number): void => {
    const wanted = next.get(vm) ?? 0;
    if (at < wanted || (at > wanted && gapsFor(vm) === (known.get(vm) ?? 0)))
      faults.push(`${vm}: ${at}, not ${wanted}`);
    known.set(vm, gapsFor(vm));
    next.set(vm, at + 1);
  };
  for (const { vm, event, data } of lines) {
    if (event === 'gap' && vm === null) gapsOfAll++;
    else if (event === 'gap' && vm !== null) gaps.set(vm, (gaps.get(vm) ?? 0) + 1);
    else if (event === 'TEST' && vm !== null && expected.has(vm)) look(vm, Number(data['at']));
  }
  for (const [vm, count] of expected) look(vm, count);
  return faults;
}

/** Reads like a client that goes to another entry again and again, with the cursor of the last thing it got. */
export class MovingReader {
  readonly lines: Line[] = [];
  readonly #timer: NodeJS.Timeout;
  #sink: TestSink | undefined;
  #taken = 0;
  #at = 0;
  #cursor: string | undefined;
  #moving = false;
  moves = 0;

  constructor(
    private readonly nodes: readonly FleetNode[],
    everyMs: number,
  ) {
    this.#timer = setInterval(() => void this.#move(), everyMs);
    void this.#move();
  }

  async #move(): Promise<void> {
    if (this.#moving) return;
    this.#moving = true;
    this.take();
    this.#sink?.subscription.close();
    this.#sink = undefined;
    const node = this.nodes[this.#at++ % this.nodes.length] as FleetNode;
    await node.shown.reached(node.fleet, this.#cursor);
    const after = this.#cursor === undefined ? 'oldest' : node.fleet.readCursor(this.#cursor);
    this.#moving = false;
    // An entry that does not get there in time answers 400: the client goes to the next.
    if (after === undefined) return;
    this.moves++;
    this.#taken = 0;
    this.#sink = node.listen({ after });
  }

  /** Takes over what came since. */
  take(): void {
    const lines = (this.#sink?.lines ?? []).slice(this.#taken);
    this.#taken += lines.length;
    this.lines.push(...lines);
    this.#cursor = lines.at(-1)?.cursor ?? this.#cursor;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.take();
    this.#sink?.subscription.close();
  }
}

/** Waits until every server has what the others have. @returns false when it does not come about in time */
export async function allCurrent(node: FleetNode, withinMs = Infinity): Promise<boolean> {
  const { manager } = await node.link.jetStream();
  await until(() => node.link.connected, 'a connection');
  const late = Date.now() + withinMs;
  while (Date.now() < late) {
    try {
      const { cluster } = await manager.streams.info(node.link.subjects.eventStream);
      if (cluster?.leader !== undefined && cluster.replicas?.every(({ current, offline }) => current && !offline))
        return true;
    } catch {
      // No leader yet.
    }
    await pause(100);
  }
  return false;
}
