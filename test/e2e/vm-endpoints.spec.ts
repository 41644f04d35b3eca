import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { connect } from 'node:tls';
import { makeCertificates, RawQmpClient, type Certificates } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { FaultScene } from './fault-scene.js';
import { run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';

const scene = new FaultScene();

afterEach(() => scene.end());

/** Writes PEM files under these names. @returns their paths */
function writePem<Name extends string>(
  files: Readonly<Record<Name, string>>,
): Record<Name, string> & { directory: string } {
  const directory = scene.directory();
  const paths = Object.entries<string>(files).map(([name, text]) => {
    const file = path.join(directory, `${name}.pem`);
    writeFileSync(file, text, { mode: 0o600 });
    return [name, file];
  });
  return { ...(Object.fromEntries(paths) as Record<Name, string>), directory };
}

function ourFiles({ ca, client }: Certificates) {
  return writePem({ ca: ca.cert, cert: client.cert, key: client.key });
}

/** A monitor of a QEMU on one more character device. */
function monitorOn(chardev: string): string[] {
  return ['-chardev', `socket,id=extra,${chardev}`, '-mon', 'chardev=extra,mode=control'];
}

/** A QEMU whose monitor speaks TLS and asks for a client certificate. @returns its port */
async function tlsQemu({ ca, server }: Certificates): Promise<number> {
  const { directory } = writePem({ 'ca-cert': ca.cert, 'server-cert': server.cert, 'server-key': server.key });
  const qemu = await scene.qemu({
    args: [
      ...['-object', `tls-creds-x509,id=tls0,endpoint=server,verify-peer=on,dir=${directory}`],
      ...monitorOn('host=127.0.0.1,port=0,server=on,wait=off,tls-creds=tls0'),
    ],
  });
  const side = scene.keep(await RawQmpClient.connect(qemu.socket), (client) => client.close());
  await side.negotiate();
  return Number(/127\.0\.0\.1:([0-9]+)/.exec(await side.command('{"execute":"query-chardev"}'))?.[1]);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('a VM over TLS', () => {
  it('is reached with the certificates of the settings, and by the name of its own', async () => {
    const certificates = makeCertificates();
    const port = await tlsQemu(certificates);
    const { ca, cert, key } = ourFiles(certificates);
    const tls = { ca, cert, key, serverName: 'localhost' };
    const gateway = await scene.gateway({ settings: { vms: { web: { endpoint: `tls:127.0.0.1:${port}`, tls } } } });
    await gateway.vmBecomes('web', 'ready');
    expect((await run(gateway, 'web', 'query-status')).status).toBe(200);
    const listed = await exchange(gateway, '/v1/vms');
    expect(listed.text).not.toContain(key);
  });

  it.each([
    ['without a client certificate', ({ ca }) => ({ ca }), 'tls-closed-before-greeting'],
    ['of an authority it does not know', ({ cert, key }) => ({ cert, key }), 'tls-failed'],
    ['under another name', (all) => ({ ...all, serverName: 'elsewhere.example' }), 'tls-failed'],
  ] as [string, (all: Record<'ca' | 'cert' | 'key', string>) => object, string][])(
    '%s: waiting, with the reason',
    async (_, choose, code) => {
      const certificates = makeCertificates();
      const port = await tlsQemu(certificates);
      const { ca, cert, key } = ourFiles(certificates);
      const tls = choose({ ca, cert, key });
      const gateway = await scene.gateway({ settings: { vms: { web: { endpoint: `tls:127.0.0.1:${port}`, tls } } } });
      expect(await gateway.vmBecomes('web', 'waiting')).toMatchObject({ lastError: { code } });
    },
  );

  it('dials in to listen:tls with its certificate, and nobody else does', async () => {
    const certificates = makeCertificates();
    const { ca, client, server, stranger } = certificates;
    const port = await freePort();
    const tls = writePem({ ca: ca.cert, cert: server.cert, key: server.key });
    const gateway = await scene.gateway({
      settings: {
        vms: {
          web: { endpoint: `listen:tls:127.0.0.1:${port}`, tls: { ca: tls.ca, cert: tls.cert, key: tls.key } },
        },
      },
    });
    await gateway.vmBecomes('web', 'waiting');
    const intruder = connect({ port, host: '127.0.0.1', ca: ca.cert, cert: stranger.cert, key: stranger.key });
    await once(
      intruder.on('error', () => undefined),
      'close',
    );
    while (!gateway.log().some(({ kind }) => kind === 'peer-refused')) await exchange(gateway, '/livez');
    expect((await exchange(gateway, '/v1/vms/web')).json()['state']).toBe('waiting');
    const { directory } = writePem({ 'ca-cert': ca.cert, 'client-cert': client.cert, 'client-key': client.key });
    await scene.qemu({
      args: [
        ...['-object', `tls-creds-x509,id=tls0,endpoint=client,verify-peer=on,dir=${directory}`],
        ...monitorOn(`host=localhost,ipv4=on,port=${port},reconnect=1,tls-creds=tls0`),
      ],
    });
    await gateway.vmBecomes('web', 'ready');
  });
});

describe('a VM that dials in', () => {
  it('to listen:unix: ready, waiting when it is killed, ready again', async () => {
    const directory = path.join(scene.directory(), 'private');
    mkdirSync(directory, { mode: 0o700 });
    const socket = path.join(directory, 'in');
    const gateway = await scene.gateway({ args: ['--vm', `web=listen:unix:${socket}`] });
    expect(await gateway.vmBecomes('web', 'waiting')).toMatchObject({ lastError: { code: 'listening' } });
    const qemu = await scene.qemu({ args: monitorOn(`path=${socket},reconnect=1`) });
    const before = await gateway.vmBecomes('web', 'ready');
    expect((await run(gateway, 'web', 'query-status')).status).toBe(200);
    qemu.kill('SIGKILL');
    await gateway.vmBecomes('web', 'waiting');
    await scene.qemu({ args: monitorOn(`path=${socket},reconnect=1`) });
    expect((await gateway.vmBecomes('web', 'ready'))['epoch']).not.toBe(before['epoch']);
  });

  it('to a directory that others may enter: never', async () => {
    const directory = path.join(scene.directory(), 'open');
    mkdirSync(directory, { mode: 0o755 });
    const gateway = await scene.gateway({ args: ['--vm', `web=listen:unix:${directory}/in`] });
    expect(await gateway.vmBecomes('web', 'waiting')).toMatchObject({ lastError: { code: 'insecure-directory' } });
  });
});

describe('plain tcp to another machine', () => {
  const endpoint = 'tcp:192.0.2.1:4444';

  it('is refused, unless the settings say insecure', async () => {
    await expect(scene.gateway({ settings: { vms: { web: { endpoint } } } })).rejects.toThrow(
      /vms\.web\.endpoint: plain tcp/,
    );
    const gateway = await scene.gateway({ settings: { vms: { web: { endpoint, insecure: true } } } });
    expect((await exchange(gateway, '/v1/vms/web')).json()).toMatchObject({ endpoint });
  });
});

describe('settings of a VM that cannot be used', () => {
  it('are told at the start, every file of every VM', async () => {
    const { ca, client, stranger } = makeCertificates();
    const { directory, cert, other, broken } = writePem({
      ...{ ca: ca.cert, cert: client.cert, other: stranger.key },
      broken: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    });
    const endpoint = 'tls:127.0.0.1:4444';
    const missing = path.join(directory, 'missing.pem');
    const start = scene.gateway({
      settings: {
        vms: {
          a: { endpoint, tls: { ca: missing, cert: missing, key: missing } },
          b: { endpoint, tls: { cert, key: other } },
          c: { endpoint, tls: { ca: broken } },
        },
      },
    });
    const message = await start.then(
      () => '',
      (error: unknown) => String(error),
    );
    for (const fault of ['a.tls.ca', 'a.tls.cert', 'a.tls.key', 'b.tls', 'c.tls'])
      expect(message).toMatch(new RegExp(`vms\\.${fault}: \\S`));
    expect(message).toContain('status 2');
  });

  it.each([
    [{ endpoint: 'listen:tls:127.0.0.1:4444' }, /vms\.web\.endpoint: listen:tls needs tls/],
    [{ endpoint: 'tls:127.0.0.1:4444', tls: { cert: '/a' } }, /vms\.web\.tls: cert and key go together/],
    [{ endpoint: 'tls:127.0.0.1:4444', tls: { certs: '/a' } }, /vms\.web\.tls\.certs: unknown \(did you mean cert/],
    [{ endpoint: 'tls:127.0.0.1:4444', tls: { ca: 1 } }, /vms\.web\.tls\.ca: must be the path/],
    [{ endpoint: `unix:/${'p'.repeat(120)}` }, /vms\.web\.endpoint: the path of a unix socket takes at most 107 bytes/],
  ])('are told by their path: %j', async (definition, fault) => {
    await expect(scene.gateway({ settings: { vms: { web: definition } } })).rejects.toThrow(fault);
  });
});
