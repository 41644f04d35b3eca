import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { HttpExchange } from './http-exchange.scene.js';
import { KeptDocument, sendTagged, takesGzip } from './tagged-document.js';

describe('Accept-Encoding', () => {
  it.each([
    ...[
      'gzip',
      'gzip, deflate, br',
      'br;q=1.0, gzip;q=0.2',
      'GZip',
      'x-gzip',
      '*',
      'br, *;q=0.1',
      'identity, gzip ; q=1',
    ],
  ])('%s takes gzip', (header) => {
    expect(takesGzip(header)).toBe(true);
  });

  it.each([undefined, '', 'identity', 'br, deflate', 'gzip;q=0', 'gzip;q=0, *', '*;q=0', 'gzip;q=x', 'zip', 'gzipped'])(
    '%s does not',
    (header) => {
      expect(takesGzip(header)).toBe(false);
    },
  );
});

const text = 'a text that is long enough to be worth it '.repeat(100);
const document = new KeptDocument(text, 'text/plain');

async function answer(headers: Record<string, string>, { method = 'GET', of = document } = {}) {
  const exchange = new HttpExchange('/', { method, headers });
  await sendTagged(exchange.request, exchange.response, of, { 'Cache-Control': 'no-cache' });
  return exchange.answer();
}

describe('a document with a tag', () => {
  it('goes out as it is to whoever asks for nothing else', async () => {
    const { status, headers, body } = await answer({});
    expect({ status, body }).toEqual({ status: 200, body: text });
    expect(headers).toMatchObject({ vary: 'Accept-Encoding', 'cache-control': 'no-cache', etag: document.etag });
    expect(headers).not.toHaveProperty('content-encoding');
  });

  it('is known by its tag in the form that was sent, and in no other', async () => {
    const { headers } = await answer({ 'accept-encoding': 'gzip' });
    expect(headers).toMatchObject({ 'content-encoding': 'gzip' });
    const tag = headers['etag'] ?? '';
    expect(tag).not.toBe(document.etag);
    const known = await answer({ 'accept-encoding': 'gzip', 'if-none-match': tag });
    expect([known.status, known.body, known.headers['etag']]).toEqual([304, '', tag]);
    expect((await answer({ 'if-none-match': tag })).status).toBe(200);
    expect((await answer({ 'if-none-match': document.etag })).status).toBe(304);
    expect((await answer({ 'accept-encoding': 'gzip', 'if-none-match': document.etag })).status).toBe(200);
  });

  it('is compressed once', async () => {
    const [first, second] = await Promise.all([document.gzip?.(), document.gzip?.()]);
    expect(second).toBe(first);
    expect(gunzipSync(first ?? '').toString()).toBe(text);
    expect(new KeptDocument('short', 'text/plain').gzip).toBeUndefined();
  });

  it('has no body for HEAD, but its length', async () => {
    const { status, headers, body } = await answer({}, { method: 'HEAD' });
    expect([status, headers['content-length'], body]).toEqual([200, String(text.length), '']);
  });
});
