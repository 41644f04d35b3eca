import { hash } from 'node:crypto';

/** The tag of an answer by which a client asks whether it changed (`ETag`, RFC 9110 section 8.8.3). */
export function entityTag(content: string | Buffer): string {
  return `"${hash('sha256', content, 'base64url').slice(0, 22)}"`;
}

/** `If-None-Match` of a GET: true when the client has what the tag is of, so that the answer is 304 (RFC 9110 section 13.1.2). */
export function clientHas(etag: string, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}
