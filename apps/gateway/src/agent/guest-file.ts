import { createHash } from 'node:crypto';
import { Problem } from '../problems/problem.js';
import type { GuestCommands, GuestReply } from './agent-commands.js';

/** All that reading and writing a file takes; whoever lacks one of these gets nowhere half way. */
export const readingCommands = ['guest-file-open', 'guest-file-read', 'guest-file-seek', 'guest-file-close'] as const;
export const writingCommands = ['guest-file-write', 'guest-file-flush', ...readingCommands] as const;

/** Numbers that agents of all releases take for `whence`. */
const whence = { set: 0, current: 1, end: 2 } as const;

/** A file of the guest that is open at its agent, which keeps it open until it is told otherwise. */
export class GuestFile {
  private constructor(
    private readonly agent: GuestCommands,
    private readonly handle: unknown,
  ) {}

  /** @throws Problem when the guest has no such file, or not for the agent */
  static async open(agent: GuestCommands, path: string, mode: 'r' | 'w'): Promise<GuestFile> {
    const made = ({ value, trace }: GuestReply) => new GuestFile(agent.inSession(trace.epoch), value['value']);
    const late = (reply: GuestReply): void => made(reply).abandon();
    return made(await agent.run('guest-file-open', { path, mode }, { part: true, late }));
  }

  /** Closes it after the task, however that ends; what went wrong first is what is told. */
  async closeAfter(task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      this.abandon();
      throw error;
    }
    await this.close();
  }

  /** The next bytes, and whether they are the last. */
  async read(count: number): Promise<{ readonly bytes: Buffer; readonly end: boolean }> {
    const { value } = await this.agent.run('guest-file-read', { handle: this.handle, count });
    const bytes = Buffer.from(String(value['buf-b64']), 'base64');
    const end = value['eof'] === true;
    if (bytes.length !== value['count'] || (bytes.length === 0 && !end))
      throw new Problem('outcome-unknown', 'The agent gave other bytes than it said.', { command: 'guest-file-read' });
    return { bytes, end };
  }

  /** All of these bytes; the agent may take them in parts. */
  async write(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const args = { handle: this.handle, 'buf-b64': bytes.toString('base64', at) };
      const { value } = await this.agent.run('guest-file-write', args);
      const count = Number(value['count']);
      if (!(Number.isInteger(count) && count > 0 && count <= bytes.length - at))
        throw new Problem('outcome-unknown', 'The agent took no more bytes.', { command: 'guest-file-write' });
      at += count;
    }
  }

  async flush(): Promise<void> {
    await this.agent.run('guest-file-flush', { handle: this.handle });
  }

  /** How many bytes are before the place in the file where the next ones would be read or written. */
  position(): Promise<number> {
    return this.#seek('current');
  }

  /** Bytes of the file, as far as it has a size; leaves it at its start. Undefined for what has no places in it. */
  async size(): Promise<number | undefined> {
    try {
      const size = await this.#seek('end');
      await this.#seek('set');
      return size;
    } catch (error) {
      if (error instanceof Problem && error.outcome === 'refused') return undefined;
      throw error;
    }
  }

  /** @throws Problem also when bytes that were written before are lost with it */
  async close(): Promise<void> {
    try {
      await this.agent.run('guest-file-close', { handle: this.handle });
    } catch (error) {
      if (error instanceof Problem && error.outcome === 'not-sent') this.abandon();
      throw error;
    }
  }

  /**
   * Closes what nobody needs any more: an agent would keep it open for ever. Whoever is told of a failure is not made to
   * wait for it: an agent that is silent may take the whole deadline of the command.
   */
  abandon(): void {
    void this.agent.cleanUp('guest-file-close', { handle: this.handle });
  }

  async #seek(from: keyof typeof whence): Promise<number> {
    const { value } = await this.agent.run('guest-file-seek', { handle: this.handle, offset: 0, whence: whence[from] });
    return Number(value['position']);
  }
}

/** SHA-256 of bytes that come in parts, and how many they are. */
export class Digest {
  readonly #hash = createHash('sha256');
  size = 0;

  add(bytes: Buffer): void {
    this.#hash.update(bytes);
    this.size += bytes.length;
  }

  /** Ends it. */
  finish(): Buffer {
    return this.#hash.digest();
  }
}

/** `Content-Digest` of RFC 9530. */
export function contentDigest(sha256: Buffer): string {
  return `sha-256=:${sha256.toString('base64')}:`;
}
