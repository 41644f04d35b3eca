import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { clientHas, entityTag } from './conditional-get.js';

/** What a GET answers with a tag: as it is, or compressed for whoever takes that. */
export interface TaggedDocument {
  readonly contentType: string;
  /** Of the document as it is. */
  readonly etag: string;
  /** As it is. */
  plain(): Buffer | string;
  /** Compressed; absent where that saves nothing. */
  readonly gzip?: () => Promise<Buffer>;
}

/** Compressing less than a packet saves none. */
const smallBytes = 1200;
const compress = promisify(gzip);

/** A document that is kept whole. It is compressed on first demand, once. */
export class KeptDocument implements TaggedDocument {
  readonly etag: string;
  readonly gzip?: () => Promise<Buffer>;
  #compressed: Promise<Buffer> | undefined;

  /** @param compressed the same, where that was made before */
  constructor(
    readonly body: Buffer | string,
    readonly contentType: string,
    compressed?: Buffer,
  ) {
    this.etag = entityTag(body);
    if (compressed !== undefined) this.#compressed = Promise.resolve(compressed);
    if (body.length >= smallBytes) this.gzip = () => (this.#compressed ??= compress(body));
  }

  plain(): Buffer | string {
    return this.body;
  }
}

/** The tag of the compressed form: tags are of bytes (RFC 9110 section 8.8.3.3). */
function compressedTag(etag: string): string {
  return `${etag.slice(0, -1)}-gzip"`;
}

/** `Accept-Encoding` (RFC 9110 section 12.5.3): whether it names gzip, or all codings, and does not forbid it. */
export function takesGzip(acceptEncoding: string | string[] | undefined): boolean {
  const codings = new Map<string, number>();
  for (const part of String(acceptEncoding ?? '').split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
    if (coding !== '') codings.set(coding.replace(/^x-gzip$/, 'gzip'), Number(quality));
  }
  return (codings.get('gzip') ?? codings.get('*') ?? 0) > 0;
}

/** Answers GET or HEAD with a document, or 304 when the client has it. */
export async function sendTagged(
  { method, headers: asked }: Pick<IncomingMessage, 'method' | 'headers'>,
  response: ServerResponse,
  document: TaggedDocument,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const { gzip: compressed } = document;
  const isCompressed = compressed !== undefined && takesGzip(asked['accept-encoding']);
  const etag = isCompressed ? compressedTag(document.etag) : document.etag;
  const isKnown = clientHas(etag, asked['if-none-match']);
  const body = isKnown ? '' : isCompressed ? await compressed() : document.plain();
  // Beside `Origin`, which the entrance may have said.
  if (compressed !== undefined) response.appendHeader('Vary', 'Accept-Encoding');
  response.writeHead(isKnown ? 304 : 200, {
    ...headers,
    'X-Content-Type-Options': 'nosniff',
    ETag: etag,
    ...(isCompressed && !isKnown ? { 'Content-Encoding': 'gzip' } : {}),
    ...(isKnown ? {} : { 'Content-Type': document.contentType, 'Content-Length': Buffer.byteLength(body) }),
  });
  response.end(isKnown || method === 'HEAD' ? undefined : body);
}
