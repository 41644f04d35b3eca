import { Problem } from '../problems/problem.js';
import type { GuestCommands } from './agent-commands.js';
import { contentDigest, Digest, GuestFile } from './guest-file.js';
import { readGuestFile } from './read-guest-file.js';

export interface WriteOptions {
  /** Bytes of one `guest-file-write`, and of one `guest-file-read` when reading back. */
  readonly writeBytes: number;
  readonly readBytes: number;
  /** Most bytes of the file. */
  readonly limit: number;
  /** Whether to compare sizes, read the file back and compare that. */
  readonly verify: boolean;
  /** What must have arrived, as a `Content-Digest` of SHA-256. */
  readonly expected?: string;
}

export interface WrittenFile {
  readonly path: string;
  readonly size: number;
  /** In hexadecimal digits. */
  readonly sha256: string;
  readonly verified: boolean;
}

/**
 * Puts these bytes in place of what is in a file of the guest, part by part as they come.
 *
 * @throws Problem; once the file was opened it says how much was written, and is never `not-sent`
 */
export async function writeGuestFile(
  agent: GuestCommands,
  path: string,
  source: AsyncIterable<Buffer>,
  options: WriteOptions,
): Promise<WrittenFile> {
  const file = await GuestFile.open(agent, path, 'w');
  const digest = new Digest();
  try {
    await file.closeAfter(async () => {
      for await (const part of inParts(source, options.writeBytes)) {
        if (digest.size + part.length > options.limit) throw tooLarge(options.limit);
        await file.write(part);
        digest.add(part);
      }
      await file.flush();
      if (options.verify) requireSize(await file.position(), digest.size);
    });
    return await checked(agent, path, digest, options);
  } catch (error) {
    throw error instanceof Problem ? afterOpening(error, digest.size) : error;
  }
}

async function checked(
  agent: GuestCommands,
  path: string,
  digest: Digest,
  options: WriteOptions,
): Promise<WrittenFile> {
  const sha256 = digest.finish();
  if (options.expected !== undefined && options.expected !== contentDigest(sha256))
    throw new Problem('invalid-request', 'What arrived, and was written, is not what Content-Digest says.', {
      outcome: 'unknown',
      errors: [{ pointer: 'Content-Digest', message: `of what arrived: ${contentDigest(sha256)}` }],
    });
  if (options.verify) await requireSame(agent, path, sha256, digest.size, options.readBytes);
  return { path, size: digest.size, sha256: sha256.toString('hex'), verified: options.verify };
}

export function tooLarge(limit: number): Problem {
  return new Problem('body-too-large', `The file is over ${limit} bytes (limits.fileBytes).`);
}

function requireSize(position: number, size: number): void {
  if (position === size) return;
  throw new Problem('outcome-unknown', `The file has ${position} bytes, and ${size} were sent.`, {
    command: 'guest-file-seek',
  });
}

async function requireSame(
  agent: GuestCommands,
  path: string,
  sha256: Buffer,
  size: number,
  readBytes: number,
): Promise<void> {
  const digest = new Digest();
  for await (const part of readGuestFile(agent, path, readBytes)) {
    digest.add(part);
    // More differs already, and a guest that never comes to an end would keep us here.
    if (digest.size > size) break;
  }
  if (digest.finish().equals(sha256)) return;
  const detail = `The file was written, but reads differently (${digest.size} bytes): somebody else may write it too.`;
  throw new Problem('outcome-unknown', detail, { command: 'guest-file-read' });
}

/** The same bytes in parts of that size, the last one shorter. */
async function* inParts(source: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer, void, undefined> {
  let gathered: Buffer[] = [];
  let length = 0;
  for await (let chunk of source) {
    while (length + chunk.length >= size) {
      const rest = size - length;
      yield Buffer.concat([...gathered, chunk.subarray(0, rest)]);
      chunk = chunk.subarray(rest);
      gathered = [];
      length = 0;
    }
    gathered.push(chunk);
    length += chunk.length;
  }
  if (length > 0) yield Buffer.concat(gathered);
}

/** What a command that was not sent leaves behind is a file that is not what it was. */
function afterOpening(problem: Problem, bytes: number): Problem {
  const outcome = problem.outcome === 'not-sent' ? 'unknown' : problem.outcome;
  const detail = `${problem.detail} The file was opened, and ${bytes} bytes of it were written.`;
  return new Problem(problem.code, detail, { ...problem.fields, outcome });
}
