import { hash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Bytes that anyone may have, with the tag by which clients ask whether they changed. */
export interface PublicDocument {
  readonly body: Buffer;
  readonly contentType: string;
  readonly etag: string;
}

export function publicDocument(body: Buffer, contentType: string): PublicDocument {
  return { body, contentType, etag: `"${hash('sha256', body, 'base64url').slice(0, 22)}"` };
}

/**
 * Answers GET or HEAD with a document, or 304 when the client has it. Unlike what lies below `/v1` it may be kept, and
 * is asked for anew each time (`no-cache`): a newer gateway answers at the same address.
 */
export function sendPublicDocument(
  request: IncomingMessage,
  response: ServerResponse,
  { body, contentType, etag }: PublicDocument,
  headers: Readonly<Record<string, string>> = {},
): void {
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  const isKnown = known?.includes(etag) === true || known?.includes('*') === true;
  response.writeHead(isKnown ? 304 : 200, {
    ...headers,
    'Cache-Control': 'no-cache',
    'X-Content-Type-Options': 'nosniff',
    ETag: etag,
    ...(isKnown ? {} : { 'Content-Type': contentType, 'Content-Length': body.length }),
  });
  response.end(isKnown || request.method === 'HEAD' ? undefined : body);
}
