import { Problem } from '../problems/problem.js';
import type { GuestCommands } from './agent-commands.js';
import type { WrittenFile } from './agent-shapes.js';
import { contentDigest, Digest, GuestFile } from './guest-file.js';
import { readGuestFile } from './read-guest-file.js';

export interface WriteOptions {
  /** Bytes of one `guest-file-write`, and of one `guest-file-read` when reading back. */
  readonly writeBytes: number;
  readonly readBytes: number;
  /** Largest size of the file in bytes. */
  readonly limit: number;
  /** Whether to compare sizes, read the file back and compare that. */
  readonly verify: boolean;
  /** Expected digest of the content, a `Content-Digest` of SHA-256. */
  readonly expected?: string | undefined;
}

/**
 * Replaces the content of a file of the guest with these bytes, part by part as they arrive.
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
    throw new Problem('invalid-request', 'The received content, which was written, does not match Content-Digest.', {
      outcome: 'unknown',
      errors: [{ in: 'header', pointer: '/Content-Digest', message: `of what arrived: ${contentDigest(sha256)}` }],
    });
  if (options.verify) await requireSame(agent, { path, sha256, size: digest.size }, options.readBytes);
  return { path, size: digest.size, sha256: sha256.toString('hex'), verified: options.verify };
}

export function tooLarge(limit: number): Problem {
  return new Problem('body-too-large', `The file is over ${limit} bytes (limits.fileBytes).`);
}

function requireSize(position: number, size: number): void {
  if (position === size) return;
  throw new Problem('outcome-unknown', `The file has ${position} bytes, but ${size} were sent.`, {
    command: 'guest-file-seek',
  });
}

async function requireSame(
  agent: GuestCommands,
  { path, sha256, size }: { readonly path: string; readonly sha256: Buffer; readonly size: number },
  readBytes: number,
): Promise<void> {
  const digest = new Digest();
  for await (const part of readGuestFile(agent, path, readBytes)) {
    digest.add(part);
    // A longer file already differs, and a guest whose file never ends would keep this reading.
    if (digest.size > size) break;
  }
  if (digest.finish().equals(sha256)) return;
  const detail = `The file was written, but reads differently (${digest.size} bytes): somebody else may write it too.`;
  throw new Problem('outcome-unknown', detail, { command: 'guest-file-read' });
}

/** The same bytes in parts of this size, the last one shorter. */
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

/** A command that was not sent leaves a truncated file, so the outcome of the request is not `not-sent`. */
function afterOpening(problem: Problem, bytes: number): Problem {
  const outcome = problem.outcome === 'not-sent' ? 'unknown' : problem.outcome;
  const detail = `${problem.detail} The file was opened, and ${bytes} bytes of it were written.`;
  return new Problem(problem.code, detail, { ...problem.fields, outcome });
}
