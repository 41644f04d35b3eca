import type { IncomingMessage } from 'node:http';
import { Problem } from '../problems/problem.js';

/** A body over its limit is read on and thrown away up to this much, so that the client gets its answer and keeps its connection. */
const drainBytes = 2 ** 20;
const empty = Buffer.alloc(0);

/**
 * Reads the JSON body of a request, whole.
 *
 * Calls back once: with its bytes, with undefined when there are none, however that was framed, or with the problem of one
 * that is too large or of another type. When the client goes away first, it never does: there is nobody to answer. Slow
 * bodies are ended by the server's `requestTimeout`.
 */
export function readJsonBody(
  request: IncomingMessage,
  limit: number,
  done: (body: Buffer | undefined | Problem) => void,
): void {
  if (!mayHaveBody(request)) {
    request.resume();
    done(undefined);
    return;
  }
  const wrongType = contentTypeProblem(request);
  if (wrongType === undefined)
    readBytes(request, limit, (body) => done(body instanceof Problem || body.length > 0 ? body : undefined));
  else discardBody(request, (has) => done(has ? wrongType : undefined));
}

/** Throws the body of a request away that may have one, and tells whether it had one as soon as that is known. */
export function discardBody(request: IncomingMessage, tell: (has: boolean) => void): void {
  request.resume();
  if (request.headers['transfer-encoding'] === undefined) {
    tell(true);
    return;
  }
  const seen = () => {
    request.off('end', ended);
    tell(true);
  };
  const ended = () => {
    request.off('data', seen);
    tell(false);
  };
  request.once('data', seen).once('end', ended);
}

function readBytes(request: IncomingMessage, limit: number, done: (body: Buffer | Problem) => void): void {
  const declared = Number(request.headers['content-length'] ?? NaN);
  const tooLarge = () => new Problem('body-too-large', `The body is over ${limit} bytes (limits.bodyBytes).`);
  if (declared > limit + drainBytes) {
    done(new Problem('body-too-large', tooLarge().detail, { headers: { Connection: 'close' } }));
    return;
  }
  let first: Buffer | undefined;
  let chunks: Buffer[] | undefined;
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > limit) {
      first = chunks = undefined;
      if (size > limit + drainBytes) {
        request.removeAllListeners('data').removeAllListeners('end');
        done(new Problem('body-too-large', tooLarge().detail, { headers: { Connection: 'close' } }));
      }
    } else if (first === undefined) first = chunk;
    else (chunks ??= [first]).push(chunk);
  });
  request.on('end', () =>
    done(size > limit ? tooLarge() : chunks === undefined ? (first ?? empty) : Buffer.concat(chunks)),
  );
}

/** False when a request says that it has no body; in chunks it may have none all the same. */
export function mayHaveBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) !== 0);
}

function codedBody(header: string, coding: string): Problem {
  const detail = `Bodies are taken as they are, not with ${header} ${JSON.stringify(coding.slice(0, 40))}.`;
  return new Problem('unsupported-media-type', detail);
}

/**
 * Bodies are JSON, and say so: a browser can send `text/plain` across sites without asking first, JSON it can't.
 * @returns the problem of a body without the right type
 */
function contentTypeProblem(request: IncomingMessage): Problem | undefined {
  const { 'content-type': type, 'content-encoding': encoding, 'transfer-encoding': transfer } = request.headers;
  if (encoding !== undefined && encoding !== 'identity') return codedBody('Content-Encoding', encoding);
  if (transfer !== undefined && transfer.toLowerCase() !== 'chunked') return codedBody('Transfer-Encoding', transfer);
  if (type === 'application/json') return undefined;
  const essence = type?.split(';', 1)[0]?.trim().toLowerCase();
  const charset = /;\s*charset="?([^";]+)/i.exec(type ?? '')?.[1]?.toLowerCase();
  if (essence === 'application/json' && (charset === undefined || charset === 'utf-8')) return undefined;
  if (essence === 'application/json')
    return new Problem(
      'unsupported-media-type',
      `JSON is UTF-8: a body with charset ${JSON.stringify(charset?.slice(0, 40))} is not taken.`,
    );
  const got = type === undefined ? 'none' : JSON.stringify(type.slice(0, 100));
  return new Problem(
    'unsupported-media-type',
    `A body needs Content-Type: application/json; this one has ${got}. With curl: curl --json '{…}' URL`,
  );
}
