import { makeCertificates, Scene, type Certificate } from '@qmp-gateway/test-kit';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { Settings } from '../settings/settings.js';
import { consoleLink } from './console-link.js';

const scene = new Scene();
afterAll(() => scene.end());
const { server: own, stranger } = makeCertificates();

/** Something that listens with this certificate where the settings say that the gateway does. */
async function listening({ cert, key }: Certificate) {
  const heard: (string | undefined)[] = [];
  const server = createServer({ cert, key }, ({ headers }, response) => {
    heard.push(headers.authorization);
    response.writeHead(201).end('{"code":"qmpgwc_x"}');
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  scene.keep(server, () => server.close());
  const { port } = server.address() as AddressInfo;
  const file = path.join(scene.directory(), 'cert.pem');
  writeFileSync(file, own.cert);
  const settings = {
    listen: [{ kind: 'tcp', host: '127.0.0.1', port }],
    tls: { cert: file, key: file },
    auth: 'token',
    state: '/nowhere',
  };
  const link = () => consoleLink(settings as unknown as Settings, { QMPGW_TOKEN: 'qmpgw_a_secret' });
  return { heard, link, port };
}

it('gets a code of the gateway that has the certificate of the settings, whatever names are in it', async () => {
  const { heard, link, port } = await listening(own);
  expect(await link()).toBe(`https://127.0.0.1:${port}/console#code=qmpgwc_x`);
  expect(heard).toEqual(['Bearer qmpgw_a_secret']);
});

it('sends the token to nobody else who took the port while the gateway was down', async () => {
  const { heard, link } = await listening(stranger);
  await expect(link()).rejects.toThrow('has another certificate than tls.cert');
  expect(heard).toEqual([]);
});

it.each(['with', 'without'])('says that nothing listens there, %s TLS', async (how) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const file = path.join(scene.directory(), 'cert.pem');
  writeFileSync(file, own.cert);
  const settings = {
    listen: [{ kind: 'tcp', host: '127.0.0.1', port }],
    ...(how === 'with' ? { tls: { cert: file, key: file } } : {}),
    ...{ auth: 'token', state: '/nowhere' },
  };
  const link = consoleLink(settings as unknown as Settings, { QMPGW_TOKEN: 'qmpgw_a_secret' });
  await expect(link).rejects.toThrow(`the gateway gave no code: nothing listens at 127.0.0.1:${port}; does it run`);
});
