import type { JetStreamManager } from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import type { FleetLink } from './fleet-link.js';

/** No answer of JetStream is waited for longer. */
const answerMs = 5000;
/** Error codes of JetStream: what is there is of another revision than the writer thought. */
const wrongRevision: ReadonlySet<number> = new Set([10071, 10164]);

/** What a bucket holds under a key. */
export interface BucketEntry {
  readonly value: Uint8Array;
  /** Of the bucket: every write has its own. */
  readonly revision: number;
  /** When the server stored it, milliseconds since 1970, by its clock. */
  readonly stored: number;
}

/** How far a bucket has come, and the keys that it knows: removed ones are among them until they are looked up. */
export interface BucketKeys {
  readonly lastRevision: number;
  readonly keys: readonly string[];
}

/**
 * One bucket of key and value that all nodes of a fleet share, with copies as many as events have. It is made at the
 * first use where `fleet.manage` allows that. Every method has a deadline of five seconds for each answer, and throws
 * when NATS does not give it; a write that failed so may still have been done, so whoever needs to know reads.
 */
export class FleetBucket {
  #opened: Promise<{ kv: KV; manager: JetStreamManager }> | undefined;

  constructor(
    private readonly link: FleetLink,
    readonly name: string,
  ) {}

  /** @returns undefined where there is nothing, or nothing any more */
  get(key: string): Promise<BucketEntry | undefined> {
    return this.#use(async ({ kv }) => {
      const entry = await kv.get(key);
      if (entry?.operation !== 'PUT') return undefined;
      return { value: entry.value, revision: entry.revision, stored: entry.created.getTime() };
    });
  }

  /** Writes whatever is there. @returns the revision */
  put(key: string, value: Uint8Array): Promise<number> {
    return this.#use(({ kv }) => kv.put(key, value));
  }

  /** Writes where nothing is. @returns undefined when something is */
  create(key: string, value: Uint8Array): Promise<number | undefined> {
    return this.#use(({ kv }) => unlessOther(kv.create(key, value)));
  }

  /** Writes in place of one revision. @returns undefined when another one is there */
  update(key: string, value: Uint8Array, revision: number): Promise<number | undefined> {
    return this.#use(({ kv }) => unlessOther(kv.update(key, value, revision, answerMs)));
  }

  /** Removes what is there, or only this revision of it. @returns false when another one is there */
  async remove(key: string, revision?: number): Promise<boolean> {
    const options = revision === undefined ? {} : { previousSeq: revision };
    return this.#use(async ({ kv }) => (await unlessOther(kv.purge(key, options).then(() => true))) ?? false);
  }

  /** @param pattern `*` for all keys without a dot, `>` for all */
  keys(pattern: '*' | '>'): Promise<BucketKeys> {
    return this.#use(async ({ manager }) => {
      const prefix = this.#subject('');
      const { state } = await manager.streams.info(`KV_${this.name}`, { subjects_filter: `${prefix}${pattern}` });
      const keys = Object.keys(state.subjects ?? {}).map((subject) => subject.slice(prefix.length));
      return { lastRevision: state.last_seq, keys };
    });
  }

  /** How far the bucket has come. */
  lastRevision(): Promise<number> {
    return this.#use(async ({ manager }) => (await manager.streams.info(`KV_${this.name}`)).state.last_seq);
  }

  /**
   * Calls back with the key of what somebody wrote or tried to write: a hint, which may come before the write is done,
   * and may not come at all. Needs a connection; ends with it for good, not with its interruptions.
   * @returns ends it
   */
  onWrite(callback: (key: string) => void): () => void {
    const prefix = this.#subject('');
    const subscription = this.link.connection.subscribe(`${prefix}>`, {
      callback: (error, { subject }) => {
        if (error === null) callback(subject.slice(prefix.length));
      },
    });
    return () => subscription.unsubscribe();
  }

  #subject(key: string): string {
    return `$KV.${this.name}.${key}`;
  }

  async #use<T>(work: (opened: { kv: KV; manager: JetStreamManager }) => Promise<T>): Promise<T> {
    if (!this.link.connected) throw new Error('there is no connection with NATS');
    const opened = (this.#opened ??= this.#open());
    try {
      return await work(await opened);
    } catch (error) {
      // It may have been removed: the next use makes it anew.
      if (this.#opened === opened) this.#opened = undefined;
      throw error;
    }
  }

  async #open(): Promise<{ kv: KV; manager: JetStreamManager }> {
    const { Bucket, Kvm } = await import('@nats-io/kv');
    const { client, manager } = await this.link.jetStream();
    const kvm = new Kvm(client);
    const { manage, events } = this.link.settings;
    const kv = manage
      ? await kvm.create(this.name, { history: 1, replicas: events.replicas, allow_direct: true })
      : await kvm.open(this.name);
    // Only the leader is asked: after a server stood still its copy can lack what the others have, for good.
    if (kv instanceof Bucket) kv.direct = false;
    return { kv, manager };
  }
}

async function unlessOther<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write;
  } catch (error) {
    if (wrongRevision.has((error as { code?: unknown }).code as number)) return undefined;
    throw error;
  }
}
