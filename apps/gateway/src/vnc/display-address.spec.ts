import { once } from 'node:events';
import { renameSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '@qmp-gateway/qmp';
import { fullBacklog, ManualClock, Scene } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dialDisplay, reachOf, type DisplayAddress } from './display-address.js';
import type { VncAddress } from './vnc-servers.js';

const scene = new Scene();
let directory: string;

beforeEach(() => (directory = scene.directory()));
afterEach(() => scene.end());

const at = (name: string): string => join(directory, name);
const unix = (path: string): DisplayAddress => ({ kind: 'unix', path, owner: undefined });

/** Accepts at once. */
async function listening(path: string): Promise<void> {
  const server = scene.keep(createServer(), (made) => made.close());
  server.on('connection', (socket: Socket) => scene.keep(socket, () => socket.destroy()));
  server.listen(path);
  await once(server, 'listening');
}

describe('dialing a display', () => {
  it('waits for room where other clients wait to be accepted', async () => {
    scene.keep(await fullBacklog(at('display')), (busy) => busy.stop());
    await listening(at('next'));
    const dialed = dialDisplay(unix(at('display')), systemClock);
    setTimeout(() => renameSync(at('next'), at('display')), 200);
    const socket = scene.keep(await dialed, (opened) => opened.destroy());
    expect(socket.readyState).toBe('open');
  });

  it('ends when there was no room for 5 s', async () => {
    scene.keep(await fullBacklog(at('display')), (busy) => busy.stop());
    const clock = new ManualClock();
    const began = clock.now();
    let failure: unknown;
    void dialDisplay(unix(at('display')), clock).catch((error: unknown) => (failure = error));
    await expect
      .poll(
        () => {
          clock.advance(100);
          return failure;
        },
        { interval: 5, timeout: 10_000 },
      )
      .toMatchObject({ code: 'EAGAIN' });
    expect(clock.now() - began).toBeGreaterThan(4000);
  });

  it('asks once where nobody listens', async () => {
    await expect(dialDisplay(unix(at('display')), systemClock)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('reaching a display', () => {
  const definition = (endpoint: string, insecure = false) => ({ endpoint, insecure });
  const reached = (
    address: Partial<VncAddress>,
    of = definition(`unix:${at('monitor')}`),
    own = '/none',
    auth = 'none',
  ) => {
    const full = { family: 'unix', host: '', service: '', websocket: false, auth, ...address };
    const reach = reachOf({ id: 'default', auth, addresses: [full] }, of, own);
    return 'reason' in reach ? reach.reason : reach.address;
  };
  const tcp = (host: string, service = '5900', family = 'ipv4') => ({ family, host, service });

  it('is at a unix socket of the same user, by an absolute path', async () => {
    await Promise.all([listening(at('monitor')), listening(at('display'))]);
    expect(reached({ service: at('display') })).toEqual({
      kind: 'unix',
      path: at('display'),
      owner: process.getuid?.(),
    });
    expect(reached({ service: at('display') }, undefined, at('display'))).toMatchObject({ owner: undefined });
    expect(reached({ service: 'display' })).toContain('relative path');
    expect(reached({ service: at('absent') })).toContain('does not see');
    expect(reached({ service: directory })).toContain('ENOTSOCK');
  });

  it('is at no unix socket of another user than the monitor, nor of another host', async () => {
    await listening(at('display'));
    expect(reached({ service: at('display') })).toContain('another user');
    expect(reached({ service: at('display') }, definition('tcp:127.0.0.1:4444'))).toContain('another host');
  });

  it('is at loopback, for a VM of this host', () => {
    expect(reached(tcp('0.0.0.0'))).toEqual({ kind: 'tcp', host: '127.0.0.1', port: 5900 });
    expect(reached(tcp('::', '5901', 'ipv6'))).toEqual({ kind: 'tcp', host: '::1', port: 5901 });
    expect(reached(tcp('127.0.0.1'))).toMatchObject({ host: '127.0.0.1' });
    expect(reached(tcp('192.0.2.1'))).toContain('another host');
    expect(reached(tcp('127.0.0.1', '65536'))).toContain('no number');
    expect(reached(tcp('127.0.0.1', 'vnc'))).toContain('no number');
  });

  it('is at the host of the endpoint, for a VM of the network, and only where that is allowed in the clear', () => {
    const far = definition('tcp:192.0.2.7:4444', true);
    expect(reached(tcp('0.0.0.0'), far)).toEqual({ kind: 'tcp', host: '192.0.2.7', port: 5900 });
    expect(reached(tcp('192.0.2.8'), far)).toContain('not at the host');
    expect(reached(tcp('0.0.0.0'), definition('tcp:192.0.2.7:4444'))).toContain('insecure: true');
  });

  it('is nowhere with a security that RFB encrypts, or without an address', () => {
    expect(reached(tcp('127.0.0.1'), undefined, '/none', 'vencrypt')).toContain('encrypts RFB itself');
    const none = reachOf({ id: 'default', auth: 'none', addresses: [] }, definition('unix:/s'), '/none');
    expect(none).toEqual({ reason: expect.stringContaining('-vnc none') as string });
    expect(reached({ family: 'vsock' })).toContain('only addresses');
  });
});
