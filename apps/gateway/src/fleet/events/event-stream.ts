import type { JetStreamClient, JetStreamManager, SeqMsgRequest, StreamConfig, StreamInfo } from '@nats-io/jetstream';
import type { MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import { batchHeaderName, incarnationOf, usualBatchBytes } from '@qmp-gateway/fleet-protocol';
import type { Logger } from 'pino';
import type { FleetLink } from '../fleet-link.js';
import { IdTaken, type Outgoing, type Outlet } from './event-publisher.js';

/** Within this time the stream takes the id of a batch for that of one it has. */
const duplicateWindowMs = 120_000;
/** A question to the stream, and a batch for it, have so long. A server that was killed is replaced in about as long. */
const answerMs = 2000;
/** Nodes make batches of about this size when they have much to say. */
const usualStoredBytes = usualBatchBytes / 4;
const leastBatchesOfNode = 1000;
/** Beside the lines: headers and subject. */
const besideLines = 8 * 1024;
/** How JetStream says that there is no such stream. */
export const streamNotFound = 10059;
/** The same of a message whose id it has put down, and whose copies it does not have yet; older servers call that a duplicate. */
const idInProcess = 10158;

/** Where the stream is, as its leader says. */
export interface StreamSight {
  readonly incarnation: string;
  /** The first and the last sequence it has; `last` is `first - 1` when it is empty. */
  readonly first: number;
  readonly last: number;
  /** Mean of its messages; 0 when there are none. */
  readonly meanBytes: number;
}

/** A message as the stream has it. */
export interface StoredBatch {
  readonly sequence: number;
  readonly subject: string;
  readonly header: string | undefined;
  readonly payload: Uint8Array;
}

/** The stream cannot be what this gateway needs it to be. */
export class FleetMisconfigured extends Error {
  /** @param faults a line each */
  constructor(readonly faults: readonly string[]) {
    super(faults.join('; '));
  }
}

interface JetStream {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
}

/** The stream of a fleet's events: made where it is missing, checked, asked, and given batches. */
export class EventStream implements Outlet {
  #jetStream: JetStream | undefined;
  #opened: StreamSight | undefined;
  #told = '';

  constructor(
    private readonly link: FleetLink,
    private readonly log: Pick<Logger, 'info' | 'warn'>,
  ) {}

  /** Its incarnation as last seen; undefined before. */
  get incarnation(): string | undefined {
    return this.#opened?.incarnation;
  }

  get longestLine(): number {
    return (this.#jetStream?.connection.info?.max_payload ?? 1024 * 1024) - besideLines;
  }

  /**
   * Makes sure that it is there as it must be.
   * @throws FleetMisconfigured when it is not, and may not be made
   */
  async open(): Promise<StreamSight> {
    const { manager } = await this.#connected();
    const wanted = await this.#wanted();
    let info = await this.#info(manager);
    if (info === undefined) {
      if (!this.link.settings.manage) throw this.#misconfigured([missing(wanted.name)]);
      try {
        info = await manager.streams.add(wanted);
        this.log.info({ stream: wanted.name }, 'made the stream of events');
      } catch (error) {
        // Another node may have made it in the same moment, as its settings have it.
        info = await this.#info(manager);
        if (info === undefined) throw this.#misconfigured([`stream ${wanted.name}: ${String(error)}`]);
      }
    }
    this.#check(wanted, info.config);
    return this.#seen(info);
  }

  /** What keeps a node from using it, a line each; makes nothing. @throws Error when JetStream does not answer */
  async faults(): Promise<readonly string[]> {
    const { manager } = await this.#connected();
    const wanted = await this.#wanted();
    const info = await this.#info(manager);
    if (info !== undefined) return differing(essential, wanted, info.config);
    return this.link.settings.manage ? [] : [missing(wanted.name)];
  }

  /** Where it is now. @throws when its leader does not say so in time, or it is not there */
  async look(): Promise<StreamSight> {
    const { manager } = await this.#connected();
    const info = await this.#info(manager);
    return info === undefined ? this.open() : this.#seen(info);
  }

  async publish(message: Outgoing): Promise<number> {
    const { client } = await this.#connected();
    const { headers } = await import('@nats-io/transport-node');
    const { id, header, payload } = message;
    const all = headers();
    all.set(batchHeaderName, header);
    const { subjects, node } = this.link;
    try {
      const { seq, duplicate } = await client.publish(subjects.events(node), payload, {
        ...{ msgID: id, headers: all, timeout: answerMs, retries: 1 },
        expect: { streamName: subjects.eventStream },
      });
      if (duplicate && !(await this.#has(seq, message))) throw new IdTaken(`the stream does not have ${id}`);
      return seq;
    } catch (error) {
      if ((error as { code?: unknown }).code === idInProcess) throw new IdTaken(`the stream has no copy of ${id} yet`);
      throw error;
    }
  }

  /** A leader puts an id down before it has the message, and may keep the one without the other. */
  async #has(sequence: number, { header }: Outgoing): Promise<boolean> {
    return sequence > 0 && (await this.get(sequence))?.header === header;
  }

  /**
   * The message of this sequence, as its leader has it; undefined where there is none. Other servers are not asked: after
   * one stood still their copies can have other messages under the same sequences, for good (seen with 2.9.10).
   */
  async get(sequence: number): Promise<StoredBatch | undefined> {
    const { manager } = await this.#connected();
    const found = await manager.streams.getMessage(this.link.subjects.eventStream, { seq: sequence });
    return found === null ? undefined : stored(found.seq, found);
  }

  /** The first message at or after this sequence, as its leader has it; undefined when there is none. */
  async firstFrom(sequence: number): Promise<StoredBatch | undefined> {
    const { manager } = await this.#connected();
    const { eventStream, allEvents } = this.link.subjects;
    // The client's type does not know the other member, which servers have since 2.9.
    const from = { seq: sequence, next_by_subj: allEvents } as SeqMsgRequest;
    const found = await manager.streams.getMessage(eventStream, from);
    return found === null ? undefined : stored(found.seq, found);
  }

  async #connected(): Promise<JetStream> {
    if (!this.link.connected) throw new Error('NATS is away');
    const { connection } = this.link;
    if (this.#jetStream?.connection !== connection) {
      const { jetstream, jetstreamManager } = await import('@nats-io/jetstream');
      const manager = await jetstreamManager(connection, { checkAPI: false, timeout: answerMs });
      this.#jetStream = { connection, client: jetstream(connection), manager };
    }
    return this.#jetStream;
  }

  async #info(manager: JetStreamManager): Promise<StreamInfo | undefined> {
    try {
      return await manager.streams.info(this.link.subjects.eventStream);
    } catch (error) {
      if ((error as { code?: unknown }).code === streamNotFound) return undefined;
      throw error;
    }
  }

  #seen({ created, state }: StreamInfo): StreamSight {
    const { first_seq, last_seq, messages, bytes } = state;
    this.#opened = {
      incarnation: incarnationOf(this.link.subjects.fleet, created),
      // An empty stream that never had any says 0.
      first: messages === 0 ? last_seq + 1 : first_seq,
      last: last_seq,
      meanBytes: messages === 0 ? 0 : bytes / messages,
    };
    return this.#opened;
  }

  async #wanted(): Promise<Partial<StreamConfig> & { readonly name: string }> {
    const { DiscardPolicy, RetentionPolicy, StorageType } = await import('@nats-io/jetstream');
    const { nanos } = await import('@nats-io/transport-node');
    const { subjects, settings } = this.link;
    const { maxBytes, maxAge, replicas } = settings.events;
    return {
      name: subjects.eventStream,
      subjects: [subjects.allEvents],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: DiscardPolicy.Old,
      max_bytes: maxBytes,
      max_age: nanos(maxAge),
      // No node may push out the others: half of the room, in batches as busy nodes make them.
      max_msgs_per_subject: Math.max(leastBatchesOfNode, Math.floor(maxBytes / 2 / usualStoredBytes)),
      duplicate_window: nanos(Math.min(duplicateWindowMs, maxAge)),
      num_replicas: replicas,
      allow_direct: true,
      republish: { src: subjects.allEvents, dest: subjects.live('{{wildcard(1)}}') },
    };
  }

  /** What it must be to work at all, and what it should be by the settings; the latter is only told. */
  #check(wanted: Partial<StreamConfig>, is: StreamConfig): void {
    const faults = differing(essential, wanted, is);
    if (faults.length > 0) throw this.#misconfigured(faults);
    this.#tell(
      differing(adjustable, wanted, is),
      'the stream of events is another one than the settings say, and stays as it is',
    );
  }

  #misconfigured(faults: readonly string[]): FleetMisconfigured {
    this.#tell(faults, 'fleet-misconfigured: the stream of events cannot be used');
    return new FleetMisconfigured(faults);
  }

  /** Once for each change. */
  #tell(faults: readonly string[], what: string): void {
    const text = faults.join('\n');
    if (text !== this.#told) for (const fault of faults) this.log.warn({ fault }, what);
    this.#told = text;
  }
}

function stored(sequence: number, message: { subject: string; header: MsgHdrs; data: Uint8Array }): StoredBatch {
  const { subject, header, data } = message;
  return { sequence, subject, header: header.get(batchHeaderName) || undefined, payload: data };
}

/** Without these it is of no use. */
const essential = ['subjects', 'allow_direct', 'republish', 'discard'] as const;
const adjustable: readonly (keyof StreamConfig)[] = [
  ...(['storage', 'max_bytes', 'max_age', 'max_msgs_per_subject'] as const),
  ...(['duplicate_window', 'num_replicas'] as const),
];

function differing(
  names: readonly (keyof StreamConfig)[],
  wanted: Partial<StreamConfig>,
  is: StreamConfig,
): readonly string[] {
  return names.flatMap((name) => difference(name, wanted[name], is[name]));
}

function missing(name: string): string {
  return `stream ${name} does not exist, and manage is false`;
}

function difference(name: string, wanted: unknown, is: unknown): string[] {
  const [wantedText, isText] = [canonical(wanted), canonical(is)];
  return wantedText === isText ? [] : [`${name} is ${isText}, not ${wantedText}`];
}

function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return JSON.stringify(value);
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
