import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  RawQmpClient,
  Scene,
  makeCertificates,
  makeTempDir,
  probe,
  superviseProcess,
  type Certificates,
} from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';

const scene = new Scene();

afterEach(() => scene.end());

/** A QEMU with one more character device and a monitor on it. */
function monitorOn(chardev: string, mode = 'mode=control'): string[] {
  return ['-chardev', `socket,id=extra,${chardev}`, '-mon', `chardev=extra,${mode}`];
}

function writeCredentials(directory: string, { ca, server }: Certificates): void {
  writeFileSync(path.join(directory, 'ca-cert.pem'), ca.cert);
  writeFileSync(path.join(directory, 'server-cert.pem'), server.cert);
  writeFileSync(path.join(directory, 'server-key.pem'), server.key);
}

describe('endpoints of a real QEMU', () => {
  it.each([
    ['the human monitor', '', 'mode=readline', /human monitor/],
    ['pretty-printed QMP', '', 'mode=control,pretty=on', /pretty/],
    ['telnet', ',telnet=on', 'mode=control', /telnet/],
  ])('names %s', async (_, option, mode, name) => {
    const directory = scene.directory();
    const socket = path.join(directory, 'other');
    const qemu = await scene.qemu({ args: monitorOn(`path=${socket},server=on,wait=off${option}`, mode) });
    // Once it answers, all its sockets listen; before, there may be a file that nobody listens at.
    const first = await RawQmpClient.connect(qemu.socket);
    await first.negotiate();
    first.close();
    const { monitor, host } = scene.monitor(socket);
    monitor.start();
    const { lastError } = await host.reached(monitor, 'waiting');
    expect(lastError).toMatchObject({ code: 'wrong-protocol', detail: expect.stringMatching(name) });
  });

  it('dials in to listen:unix, again after each loss', async () => {
    const socket = path.join(scene.directory(), 'in');
    const { monitor, host } = scene.monitor({ kind: 'listen-unix', path: socket });
    monitor.start();
    await host.reached(monitor, 'waiting');
    const qemu = await scene.qemu({ args: monitorOn(`path=${socket},reconnect=1`) });
    await host.reached(monitor, 'ready');
    expect((await probe(monitor, 'query-status').outcome).kind).toBe('return');
    qemu.kill('SIGTERM');
    await host.reached(monitor, 'closed');
    await scene.qemu({ args: monitorOn(`path=${socket},reconnect=1`) });
    await host.reached(monitor, 'ready');
  });

  it('speaks TLS with client certificates, and tells what is wrong without', async () => {
    const certificates = makeCertificates();
    const directory = scene.directory();
    writeCredentials(directory, certificates);
    const qemu = await scene.qemu({
      args: [
        ...['-object', `tls-creds-x509,id=tls0,endpoint=server,verify-peer=on,dir=${directory}`],
        ...monitorOn('host=127.0.0.1,port=0,server=on,wait=off,tls-creds=tls0'),
      ],
    });
    const side = await scene.ready(qemu.socket);
    const chardevs = (await probe(side.monitor, 'query-chardev').outcome) as { value: Buffer };
    const port = Number(/127\.0\.0\.1:([0-9]+)/.exec(chardevs.value.toString())?.[1]);
    const { ca, client } = certificates;
    const endpoint = { kind: 'tls', host: '127.0.0.1', port } as const;
    const refused = scene.monitor(endpoint, { tls: { ca: ca.cert } });
    refused.monitor.start();
    expect((await refused.host.reached(refused.monitor, 'waiting')).lastError.code).toBe('tls-closed-before-greeting');
    await refused.monitor.stop();
    const { monitor } = await scene.ready(endpoint, { tls: { ca: ca.cert, ...client } });
    expect((await probe(monitor, 'query-status').outcome).kind).toBe('return');
    await monitor.stop();
    const plain = scene.monitor({ ...endpoint, kind: 'tcp' }, { handshakeTimeoutMs: 500 });
    plain.monitor.start();
    expect((await plain.host.reached(plain.monitor, 'busy')).lastError.detail).toMatch(/TLS/);
  });

  it('connects to a storage daemon', async () => {
    const directory = makeTempDir();
    const socket = path.join(directory, 'qsd');
    const child = spawn(
      'qemu-storage-daemon',
      ['--chardev', `socket,id=c,path=${socket},server=on,wait=off`, '--monitor', 'chardev=c'],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const daemon = scene.keep(await superviseProcess(child, directory, [socket], true), (made) => made.stop());
    const { monitor, host } = await scene.ready(socket, { dialect: 'qemu' });
    expect(host.states.at(-1)).toMatchObject({ session: { dialect: 'qemu' } });
    expect((await probe(monitor, 'query-version').outcome).kind).toBe('return');
    expect((await probe(monitor, 'quit').outcome).kind).toBe('return');
    await daemon.ended;
  });

  it('synchronizes with a guest agent', async () => {
    const directory = makeTempDir();
    const socket = path.join(directory, 'qga');
    const child = spawn('qemu-ga', ['-m', 'unix-listen', '-p', socket, '-t', directory], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    scene.keep(await superviseProcess(child, directory, [socket], true), (made) => made.stop());
    const { monitor } = await scene.ready(socket, { dialect: 'guest-agent' });
    expect(await probe(monitor, 'guest-ping').outcome).toEqual({ kind: 'return', value: Buffer.from('{}') });
    expect(await probe(monitor, 'nope').outcome).toMatchObject({ kind: 'error', class: 'CommandNotFound' });
    const info = (await probe(monitor, 'guest-info').outcome) as { value: Buffer };
    expect(JSON.parse(info.value.toString())).toMatchObject({ version: expect.any(String) });
  });
});
