import { headers, type Msg } from '@nats-io/transport-node';
import { jetstream, jetstreamManager, type StoredMsg } from '@nats-io/jetstream';
import { systemClock } from '@qmp-gateway/qmp';
import type { SnapshotVm } from '@qmp-gateway/fleet-protocol';
import {
  mayChangeVm,
  vmChangeOf,
  type BatchFeed,
  type OwnEvents,
  type ToldEvent,
} from '../../apps/gateway/src/fleet/directory/feed.js';
import { FleetDirectory } from '../../apps/gateway/src/fleet/directory/fleet-directory.js';
import { NodeRecords } from '../../apps/gateway/src/fleet/directory/node-records.js';
import { OwnRecord } from '../../apps/gateway/src/fleet/directory/own-record.js';
import { endOfStream, StreamArchive } from '../../apps/gateway/src/fleet/directory/stream-archive.js';
import { FleetBucket } from '../../apps/gateway/src/fleet/fleet-bucket.js';
import { FleetLink } from '../../apps/gateway/src/fleet/fleet-link.js';
import type { ReceivedBatch } from '../../apps/gateway/src/fleet/fleet-view.js';
import type { FleetSettings } from '../../apps/gateway/src/settings/fleet-settings.js';

const batchHeader = 'Test-Batch';
let runs = 0;

/** Says nothing, but keeps what was said. */
export class QuietLog {
  readonly lines: string[] = [];
  readonly info = (...what: unknown[]): void => this.#add('info', what);
  readonly warn = (...what: unknown[]): void => this.#add('warn', what);
  readonly error = (...what: unknown[]): void => this.#add('error', what);

  #add(level: string, what: readonly unknown[]): void {
    const [fields, message] = what;
    const { err, ...rest } = fields as { err?: Error };
    this.lines.push(`${level} ${String(message)} ${JSON.stringify(rest)} ${err?.message ?? ''}`);
  }
}

/** Settings of a node, with short times. */
export function fleetSettings(
  servers: readonly string[],
  node: string,
  more: Partial<FleetSettings> = {},
): FleetSettings {
  return {
    ...{ name: 'test', node, servers, insecure: false, serve: true, maxLevel: 'host', manage: true },
    ...{ heartbeat: 200, unreachableAfter: 1000 },
    events: { replicas: 1, maxBytes: 1e9, maxAge: 86_400_000, perVmRate: 2000, buffer: 1e8 },
    ...more,
  };
}

/** A connection of a node, connected. */
export async function connectedLink(settings: FleetSettings, log: QuietLog): Promise<FleetLink> {
  const link = new FleetLink(settings, `run${++runs}`, log);
  await link.start();
  await new Promise<void>((resolve) => link.observe({ connected: resolve }));
  return link;
}

/** Makes the stream of events as gateways do. */
export async function makeStream(link: FleetLink, replicas = 1): Promise<void> {
  const { eventStream, allEvents, prefix } = link.subjects;
  const manager = await jetstreamManager(link.connection);
  await manager.streams.add({
    ...{ name: eventStream, subjects: [allEvents], allow_direct: true, num_replicas: replicas },
    republish: { src: allEvents, dest: `${prefix}.live.{{wildcard(1)}}` },
  });
}

interface Header {
  readonly node: string;
  readonly run: string;
  readonly first: number;
  readonly last: number;
  readonly at: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

function batchOf(
  header: string | undefined,
  text: string,
  sequence: number,
  isLive: boolean,
): ReceivedBatch | undefined {
  if (header === undefined) return undefined;
  const { at, ...head } = JSON.parse(header) as Header;
  return { ...head, sequence, sentAt: isLive ? at : undefined, lines: text === '' ? [] : text.split('\n') };
}

/** What the stream tells on, as it comes: it is in order while nothing is cut off. */
export class LiveFeed implements BatchFeed {
  readonly #listeners: ((batch: ReceivedBatch) => void)[] = [];
  /** Batches pass while it is true. */
  open = true;

  constructor(link: FleetLink) {
    link.connection.subscribe(link.subjects.liveEvents, {
      callback: (_: Error | null, message: Msg) => {
        const sequence = Number(message.headers?.get('Nats-Sequence'));
        const batch = batchOf(message.headers?.get(batchHeader), message.string(), sequence, true);
        if (batch !== undefined && this.open) for (const listener of this.#listeners) listener(batch);
      },
    });
  }

  onBatch(listener: (batch: ReceivedBatch) => void): void {
    this.#listeners.push(listener);
  }
}

/** A VM's views as a gateway would render them, shortened. */
export function someVm(id: string, state = 'ready', more: object = {}): SnapshotVm {
  const view = {
    id,
    state,
    node: 'a',
    health: 'ok',
    runState: 'running',
    since: '2026-01-01T00:00:00.000Z',
    labels: {},
    ...more,
  };
  return {
    ...{ id, labels: {}, epoch: 'e' },
    full: JSON.stringify({ ...view, endpoint: `unix:/run/qemu/${id}.sock` }),
    reduced: JSON.stringify(view),
  };
}

/** A node without a gateway: its VMs, its record and its events. */
export class SimulatedNode {
  readonly vms = new Map<string, SnapshotVm>();
  readonly record: OwnRecord;
  readonly events = { last: 0, acknowledged: 0, dropped: 0 };
  #heartbeats: NodeJS.Timeout | undefined;
  #beats = 0;
  #sending: Promise<unknown> = Promise.resolve();

  private constructor(
    readonly link: FleetLink,
    readonly log: QuietLog,
    identity: string,
  ) {
    const records = new NodeRecords(new FleetBucket(link, link.subjects.nodeBucket));
    this.record = new OwnRecord({
      ...{ link, records, identity, log, version: '0.0.0', clock: systemClock },
      events: this.events satisfies OwnEvents,
      vms: () => [...this.vms.values()],
      vmCount: () => this.vms.size,
      streamEnd: () => endOfStream(link),
    });
  }

  /** @param identity of its state directory; its name by default */
  static async start(
    settings: FleetSettings,
    vms: readonly SnapshotVm[] = [],
    identity?: string,
  ): Promise<SimulatedNode> {
    const log = new QuietLog();
    const node = new SimulatedNode(await connectedLink(settings, log), log, identity ?? String(settings.node));
    for (const vm of vms) node.vms.set(vm.id, vm);
    node.record.onMembership((membership) => {
      if (membership === 'joined') node.#beat();
      else clearInterval(node.#heartbeats);
    });
    node.record.start();
    return node;
  }

  get name(): string {
    return this.link.node;
  }

  /** Tells of a VM, as events do. */
  change(...vms: SnapshotVm[]): Promise<void> {
    for (const vm of vms) this.vms.set(vm.id, vm);
    return this.#tell(
      vms.map(({ full, reduced, ...source }) => ({ source, name: 'vm-changed', data: full, reducedData: reduced })),
    );
  }

  remove(id: string): Promise<void> {
    this.vms.delete(id);
    return this.#tell([{ source: { id, labels: {}, epoch: null }, name: 'vm-removed', data: JSON.stringify({ id }) }]);
  }

  /** Its events are lost on the way, which it knows. */
  changeUnheard(vm: SnapshotVm): void {
    this.vms.set(vm.id, vm);
    this.events.dropped++;
  }

  #beat(): void {
    clearInterval(this.#heartbeats);
    this.#heartbeats = setInterval(() => void this.#send([]).catch(() => undefined), this.link.settings.heartbeat);
    void this.#send([]).catch(() => undefined);
  }

  async #tell(events: readonly ToldEvent[]): Promise<void> {
    events.forEach(() => this.record.changed());
    await this.#send(events.map((event) => JSON.stringify(event)));
  }

  #send(lines: readonly string[]): Promise<void> {
    const first = this.events.last + 1;
    this.events.last += lines.length;
    const { node, run, subjects, connection } = this.link;
    const sent = this.#sending.then(async () => {
      const header = headers();
      const fields = this.record.heartbeatFields();
      const content = { node, run, first, last: first + lines.length - 1, at: performance.now(), fields };
      header.set(batchHeader, JSON.stringify(content));
      // Where nothing is said of it, it may be stored: again under the same id, as nodes do.
      header.set('Nats-Msg-Id', `${run}.${first}.${lines.length === 0 ? ++this.#beats : ''}`);
      for (;;) {
        try {
          const options = { headers: header, timeout: 1000 };
          this.events.acknowledged = (
            await jetstream(connection).publish(subjects.events(node), lines.join('\n'), options)
          ).seq;
          return;
        } catch (error) {
          if (connection.isClosed() || lines.length === 0) throw error;
          await pause(100);
        }
      }
    });
    this.#sending = sent.catch(() => undefined);
    return sent;
  }

  async joined(): Promise<void> {
    while (this.record.membership !== 'joined') await pause(10);
  }

  /** As SIGTERM does. */
  async leave(): Promise<void> {
    clearInterval(this.#heartbeats);
    await this.record.leave();
    await this.link.close();
  }

  /** As SIGKILL does. */
  async die(): Promise<void> {
    clearInterval(this.#heartbeats);
    await this.link.close();
    void this.record.leave();
  }
}

/** A directory of an entry, with what it told by itself. */
export class Entry {
  readonly told: string[] = [];

  private constructor(
    readonly link: FleetLink,
    readonly log: QuietLog,
    readonly feed: LiveFeed,
    readonly directory: FleetDirectory,
  ) {
    directory.tellings.onNews(() => {
      for (const { name, source, data } of directory.tellings.take(100, Date.now()))
        this.told.push(name === 'vm-changed' ? `changed ${source.id} ${stateOf(data)}` : `removed ${source.id}`);
    });
  }

  static async start(settings: FleetSettings, { archive = true } = {}): Promise<Entry> {
    const log = new QuietLog();
    const link = await connectedLink(settings, log);
    const feed = new LiveFeed(link);
    const directory = new FleetDirectory({
      ...{ link, feed, log, clock: systemClock },
      records: new NodeRecords(new FleetBucket(link, link.subjects.nodeBucket)),
      archive: archive ? new StreamArchive(link, storedBatch) : undefined,
      readChange: (line) => (mayChangeVm(line) ? vmChangeOf(JSON.parse(line) as ToldEvent) : undefined),
    });
    const entry = new Entry(link, log, feed, directory);
    directory.start();
    return entry;
  }

  /** Waits until what is looked for holds. @throws when it does not within ten seconds */
  async until(holds: (directory: FleetDirectory) => boolean, withinMs = 10_000): Promise<void> {
    const end = Date.now() + withinMs;
    while (!holds(this.directory)) {
      if (Date.now() > end) throw new Error(`not so: ${holds.toString()}; log: ${this.log.lines.join('\n')}`);
      await pause(10);
    }
  }

  /** What it lists: `id@node state`, in order. */
  list(): string[] {
    return [...this.directory.all()].map((vm) => `${vm.id}@${vm.node} ${stateOf(vm.render(false))}`);
  }

  async stop(): Promise<void> {
    this.directory.stop();
    await this.link.close();
  }
}

function storedBatch(message: StoredMsg): ReceivedBatch | undefined {
  return batchOf(message.header.get(batchHeader), message.string(), message.seq, false);
}

function stateOf(view: string): string {
  return (JSON.parse(view) as { state: string }).state;
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
