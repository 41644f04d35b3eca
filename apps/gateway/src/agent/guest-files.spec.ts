import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Problem } from '../problems/problem.js';
import type { GuestCommands, GuestManner, GuestReply } from './agent-commands.js';
import { contentDigest } from './guest-file.js';
import { readGuestFile } from './read-guest-file.js';
import { writeGuestFile, type WriteOptions } from './write-guest-file.js';

/** What all replies say of their session. */
const trace = { epoch: 'run.7' };

/** An agent with one file in memory. */
class MemoryAgent implements GuestCommands {
  readonly calls: string[] = [];
  readonly open = new Set<unknown>();
  readonly sessions: unknown[] = [];
  content: Buffer;
  /** Bytes it takes of one write at most. */
  takes = Infinity;
  /** Answers in place of its own, by command. */
  readonly odd = new Map<string, () => object | Problem | undefined>();
  #place = 0;
  #handles = 1000;

  constructor(content = '') {
    this.content = Buffer.from(content);
  }

  run(command: string, args: object, { late }: GuestManner = {}): Promise<GuestReply> {
    this.calls.push(command.replace('guest-file-', ''));
    const odd = this.odd.get(command)?.();
    if (odd instanceof Problem && odd.code !== 'deadline-exceeded') return Promise.reject(odd);
    const value = this.#answer(command, args as Record<string, unknown>);
    if (odd instanceof Problem) {
      late?.({ value, trace });
      return Promise.reject(odd);
    }
    return Promise.resolve({ value: odd === undefined ? value : { ...odd }, trace });
  }

  /** As of an agent that is silent: when it is done nobody is told. */
  cleanUp(command: string, args: object): Promise<void> {
    this.calls.push(`${command.replace('guest-file-', '')} later`);
    this.#answer(command, args as Record<string, unknown>);
    return new Promise(() => undefined);
  }

  inSession(epoch: string | undefined): GuestCommands {
    this.sessions.push(epoch);
    return this;
  }

  #answer(command: string, args: Record<string, unknown>): Record<string, unknown> {
    switch (command) {
      case 'guest-file-open': {
        if (args['mode'] === 'w') this.content = Buffer.alloc(0);
        this.#place = 0;
        this.open.add(++this.#handles);
        return { value: this.#handles };
      }
      case 'guest-file-close':
        this.open.delete(args['handle']);
        return {};
      case 'guest-file-read': {
        const bytes = this.content.subarray(this.#place, this.#place + Number(args['count']));
        this.#place += bytes.length;
        const eof = bytes.length < Number(args['count']);
        return { count: bytes.length, 'buf-b64': bytes.toString('base64'), eof };
      }
      case 'guest-file-write': {
        const bytes = Buffer.from(String(args['buf-b64']), 'base64');
        const count = Math.min(bytes.length, this.takes);
        this.content = Buffer.concat([this.content, bytes.subarray(0, count)]);
        this.#place += count;
        return { count, eof: false };
      }
      case 'guest-file-seek':
        this.#place = [0, this.#place, this.content.length][Number(args['whence'])] ?? NaN;
        return { position: this.#place, eof: false };
      default:
        return {};
    }
  }
}

async function readAll(agent: GuestCommands, partBytes = 4): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of readGuestFile(agent, '/f', partBytes)) parts.push(part);
  return Buffer.concat(parts).toString();
}

const options: WriteOptions = { writeBytes: 4, readBytes: 4, limit: 100, verify: true };

async function* chunks(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text));
}

/** What a promise is rejected with. */
async function problemOf(promise: Promise<unknown>): Promise<Problem> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(Problem);
  return thrown as Problem;
}

const refused = new Problem('command-failed', 'no', { outcome: 'refused' });
const sha256 = (text: string) => createHash('sha256').update(text).digest();

describe('reading a file of the guest', () => {
  it('takes it part by part and closes it', async () => {
    const agent = new MemoryAgent('0123456789');
    expect(await readAll(agent)).toBe('0123456789');
    expect(agent.calls).toEqual(['open', 'seek', 'seek', 'read', 'read', 'read', 'close']);
    // Its handle means nothing in another session.
    expect(agent.sessions).toEqual(['run.7']);
  });

  it('reads what has no places in it, and what has no size', async () => {
    const pipe = new MemoryAgent('from a pipe');
    pipe.odd.set('guest-file-seek', () => refused);
    expect(await readAll(pipe)).toBe('from a pipe');
    const proc = new MemoryAgent('from /proc');
    proc.odd.set('guest-file-seek', () => ({ position: 0 }));
    expect(await readAll(proc)).toBe('from /proc');
  });

  it('fails when it gives less than it had, and closes it', async () => {
    const agent = new MemoryAgent('01234567');
    agent.odd.set('guest-file-read', () => ({ count: 2, 'buf-b64': 'MDE=', eof: true }));
    expect(await problemOf(readAll(agent))).toMatchObject({ code: 'outcome-unknown' });
    expect(agent.open.size).toBe(0);
  });

  it.each([
    ['other bytes than it says', { count: 3, 'buf-b64': 'MDE=', eof: false }],
    ['nothing without an end', { count: 0, 'buf-b64': '', eof: false }],
    ['nothing of the kind', {}],
  ])('fails when the agent gives %s', async (_what, answer) => {
    const agent = new MemoryAgent('01234567');
    agent.odd.set('guest-file-read', () => answer);
    expect(await problemOf(readAll(agent))).toMatchObject({ code: 'outcome-unknown' });
    expect(agent.open.size).toBe(0);
  });

  it('closes what was opened after the deadline', async () => {
    const agent = new MemoryAgent('01234567');
    agent.odd.set('guest-file-open', () => new Problem('deadline-exceeded', 'late', { outcome: 'unknown' }));
    expect(await problemOf(readAll(agent))).toMatchObject({ code: 'deadline-exceeded' });
    expect(agent.calls).toEqual(['open', 'close later']);
    expect(agent.sessions).toEqual(['run.7']);
    expect(agent.open.size).toBe(0);
  });

  it('closes it later when the agent cannot be asked now', async () => {
    const agent = new MemoryAgent('01234567');
    agent.odd.set('guest-file-close', () => new Problem('vm-unavailable', 'away'));
    expect(await problemOf(readAll(agent))).toMatchObject({ code: 'vm-unavailable' });
    expect(agent.calls.slice(-2)).toEqual(['close', 'close later']);
  });

  it('closes it when its reader stops', async () => {
    const agent = new MemoryAgent('0123456789');
    for await (const part of readGuestFile(agent, '/f', 4)) {
      expect(part.toString()).toBe('0123');
      break;
    }
    expect(agent.open.size).toBe(0);
  });
});

describe('writing a file of the guest', () => {
  it('cuts what comes into parts of its own, and checks what was written', async () => {
    const agent = new MemoryAgent('what was there');
    agent.takes = 3;
    const file = await writeGuestFile(agent, '/f', chunks('01', '', '2345678', '9'), options);
    const digest = sha256('0123456789').toString('hex');
    expect(file).toEqual({ path: '/f', size: 10, sha256: digest, verified: true });
    expect(agent.content.toString()).toBe('0123456789');
    expect(agent.open.size).toBe(0);
    expect(agent.calls.slice(0, 9)).toEqual([
      ...['open', 'write', 'write', 'write', 'write', 'write', 'flush', 'seek', 'close'],
    ]);
  });

  it('does not look when that is not asked for', async () => {
    const agent = new MemoryAgent();
    agent.odd.set('guest-file-seek', () => refused);
    const file = await writeGuestFile(agent, '/f', chunks('01'), { ...options, verify: false });
    expect(file).toMatchObject({ size: 2, verified: false });
    expect(agent.calls).toEqual(['open', 'write', 'flush', 'close']);
  });

  it('says what was written when it fails half way, and closes it', async () => {
    const agent = new MemoryAgent();
    let writes = 0;
    agent.odd.set('guest-file-write', () => (++writes < 3 ? { count: 4 } : new Problem('vm-unavailable', 'gone.')));
    const problem = await problemOf(writeGuestFile(agent, '/f', chunks('0123456789abcdef'), options));
    expect(problem).toMatchObject({ code: 'vm-unavailable', outcome: 'unknown' });
    expect(problem.detail).toBe('gone. The file was opened, and 8 bytes of it were written.');
    expect(agent.open.size).toBe(0);
  });

  it('leaves a refusal to open as it is', async () => {
    const agent = new MemoryAgent();
    agent.odd.set('guest-file-open', () => refused);
    expect(await problemOf(writeGuestFile(agent, '/f', chunks('01'), options))).toBe(refused);
    expect(agent.calls).toEqual(['open']);
  });

  it('fails when closing does: the last bytes may be lost with it', async () => {
    const agent = new MemoryAgent();
    agent.odd.set('guest-file-close', () => refused);
    expect(await problemOf(writeGuestFile(agent, '/f', chunks('01'), options))).toMatchObject({
      ...{ code: 'command-failed', outcome: 'refused' },
    });
  });

  it('is never taken for not sent once the file was opened', async () => {
    for (const [command, at] of [
      ['guest-file-close', 1],
      ['guest-file-open', 2],
      ['guest-file-read', 1],
    ] as const) {
      const agent = new MemoryAgent();
      let calls = 0;
      agent.odd.set(command, () => (++calls === at ? new Problem('queue-full', 'full.') : undefined));
      const problem = await problemOf(writeGuestFile(agent, '/f', chunks('01'), options));
      expect(problem, command).toMatchObject({ code: 'queue-full', outcome: 'unknown' });
      expect(agent.open.size, command).toBe(0);
    }
  });

  it('stops at its limit', async () => {
    const agent = new MemoryAgent();
    const problem = await problemOf(writeGuestFile(agent, '/f', chunks('0'.repeat(101)), options));
    expect(problem).toMatchObject({ code: 'body-too-large', outcome: 'unknown' });
    expect(agent.content).toHaveLength(100);
    expect(agent.open.size).toBe(0);
  });

  it.each([0, -1, 0.5, 1e-300, 5, NaN])('fails when the agent takes %d of 4 bytes', async (count) => {
    const agent = new MemoryAgent();
    let writes = 0;
    agent.odd.set('guest-file-write', () => {
      if (++writes > 10) throw new Error('it writes the same again and again');
      return { count };
    });
    expect(await problemOf(writeGuestFile(agent, '/f', chunks('0123'), options))).toMatchObject({
      code: 'outcome-unknown',
    });
    expect(agent.open.size).toBe(0);
  });

  it('fails when the file has another size, or reads differently', async () => {
    const shorter = new MemoryAgent();
    shorter.odd.set('guest-file-seek', () => ({ position: 1 }));
    const short = await problemOf(writeGuestFile(shorter, '/f', chunks('01'), options));
    expect(short.detail).toContain('The file has 1 bytes, but 2 were sent.');
    const other = new MemoryAgent();
    other.odd.set('guest-file-flush', () => {
      other.content = Buffer.from('10');
      return {};
    });
    const differing = await problemOf(writeGuestFile(other, '/f', chunks('01'), options));
    expect(differing).toMatchObject({ code: 'outcome-unknown', fields: { command: 'guest-file-read' } });
    expect([shorter.open.size, other.open.size]).toEqual([0, 0]);
  });

  it('reads back no more than was written, of a file without an end', async () => {
    const agent = new MemoryAgent();
    let reads = 0;
    agent.odd.set('guest-file-read', () => {
      if (++reads > 10) throw new Error('it reads on and on');
      return { count: 3, 'buf-b64': 'MDEy', eof: false };
    });
    const problem = await problemOf(writeGuestFile(agent, '/f', chunks('01234'), options));
    expect(problem).toMatchObject({ code: 'outcome-unknown', fields: { command: 'guest-file-read' } });
    expect([reads, agent.open.size]).toEqual([2, 0]);
  });

  it('compares with what the sender says', async () => {
    const right = { ...options, expected: contentDigest(sha256('01')) };
    expect(await writeGuestFile(new MemoryAgent(), '/f', chunks('01'), right)).toMatchObject({ verified: true });
    expect(await problemOf(writeGuestFile(new MemoryAgent(), '/f', chunks('10'), right))).toMatchObject({
      ...{ code: 'invalid-request', outcome: 'unknown' },
    });
  });
});
