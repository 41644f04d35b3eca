import { createHash } from 'node:crypto';
import { Problem } from '../problems/problem.js';
import type { GuestCommands, GuestReply } from './agent-commands.js';

/** All commands that reading and writing a file needs; without one of them a task could not finish. */
export const readingCommands = ['guest-file-open', 'guest-file-read', 'guest-file-seek', 'guest-file-close'] as const;
export const writingCommands = ['guest-file-write', 'guest-file-flush', ...readingCommands] as const;

/** Numbers that agents of all releases accept for `whence`. */
const whence = { set: 0, current: 1, end: 2 } as const;

/** A file of the guest that its agent has open, and keeps open until it is closed. */
export class GuestFile {
  private constructor(
    private readonly agent: GuestCommands,
    private readonly handle: unknown,
  ) {}

  /** @throws Problem if the guest has no such file, or the agent may not open it */
  static async open(agent: GuestCommands, path: string, mode: 'r' | 'w'): Promise<GuestFile> {
    const made = ({ value, trace }: GuestReply) => new GuestFile(agent.inSession(trace.epoch), value['value']);
    const late = (reply: GuestReply): void => made(reply).abandon();
    return made(await agent.run('guest-file-open', { path, mode }, { part: true, late }));
  }

  /** Closes it after the task, however that ends; the first error is reported. */
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
      throw new Problem('outcome-unknown', 'The agent returned a different number of bytes than it announced.', {
        command: 'guest-file-read',
      });
    return { bytes, end };
  }

  /** Writes all of these bytes; the agent may accept them in parts. */
  async write(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const args = { handle: this.handle, 'buf-b64': bytes.toString('base64', at) };
      const { value } = await this.agent.run('guest-file-write', args);
      const count = Number(value['count']);
      if (!(Number.isInteger(count) && count > 0 && count <= bytes.length - at))
        throw new Problem('outcome-unknown', 'The agent accepted no more bytes.', { command: 'guest-file-write' });
      at += count;
    }
  }

  async flush(): Promise<void> {
    await this.agent.run('guest-file-flush', { handle: this.handle });
  }

  /** The current position in the file, in bytes. */
  position(): Promise<number> {
    return this.#seek('current');
  }

  /** Size of the file in bytes; moves to its start. Undefined for a file without positions. */
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

  /** @throws Problem also if bytes that were written before are lost with it */
  async close(): Promise<void> {
    try {
      await this.agent.run('guest-file-close', { handle: this.handle });
    } catch (error) {
      if (error instanceof Problem && error.outcome === 'not-sent') this.abandon();
      throw error;
    }
  }

  /**
   * Closes a file that is no longer needed, which the agent would keep open forever. The caller of a failed task does
   * not wait for it, because a silent agent may take the whole deadline of the command.
   */
  abandon(): void {
    void this.agent.cleanUp('guest-file-close', { handle: this.handle });
  }

  async #seek(from: keyof typeof whence): Promise<number> {
    const { value } = await this.agent.run('guest-file-seek', { handle: this.handle, offset: 0, whence: whence[from] });
    return Number(value['position']);
  }
}

/** SHA-256 and length of bytes that arrive in parts. */
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
