import { describe, expect, it } from 'vitest';
import { readHeaders, readParts, readQuery } from '../http/resource/read-shape.js';
import { FileDigest, FileToRead, FileToWrite } from './file-request.js';

const sha256 = `sha-256=:${'A'.repeat(43)}=:`;
const refusal = (...pointers: string[]) =>
  expect.objectContaining({
    code: 'invalid-request',
    fields: { errors: pointers.map((pointer) => expect.objectContaining({ pointer })) },
  }) as unknown;

describe('the query of a file', () => {
  it('names it as the guest has it', () => {
    expect(readQuery(FileToRead, 'path=%2Fa%20b%26%C3%A4').guestPath()).toBe('/a b&ä');
    expect(readQuery(FileToWrite, 'path=/a&verify=false')).toMatchObject({ path: '/a', verify: false });
  });

  it.each(['', 'path=', 'path=a&path=b', 'path=a%00b', `path=${'x'.repeat(4097)}`])('is refused: %j', (query) =>
    expect(() => readQuery(FileToRead, query)).toThrow(refusal('/path')),
  );

  it('is malformed with a character that no guest agent reads', () =>
    expect(() => readQuery(FileToRead, 'path=a%EF%BF%BF').guestPath()).toThrow(
      /malformed-json: parameter "path": noncharacter/,
    ));
});

describe('the digest of a file', () => {
  it.each([
    [{}, undefined],
    [{ 'content-digest': sha256 }, sha256],
    [{ 'content-digest': `sha-512=:YQ==:, ${sha256}` }, sha256],
  ])('is that by SHA-256: %j', (headers, digest) => expect(readHeaders(FileDigest, headers).sha256).toBe(digest));

  it.each(['md5=:x:', 'sha-256=:YQ==:', 'sha-256=YQ=='])('is not %s', (digest) =>
    expect(() => readHeaders(FileDigest, { 'content-digest': digest })).toThrow(refusal('/Content-Digest')),
  );

  it('is refused together with the query', () => {
    const request = { headers: { 'content-digest': 'md5=:x:' }, gateway: { query: 'file=a&verify=maybe' } };
    expect(() => readParts({ query: FileToWrite, headers: [FileDigest] }, request)).toThrow(
      refusal('/file', '/path', '/verify', '/Content-Digest'),
    );
  });
});
