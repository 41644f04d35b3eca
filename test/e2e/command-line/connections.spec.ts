import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { makeCertificates } from '@qmp-gateway/test-kit';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { GatewayScene, registerVm } from '../gateway-scene.js';
import { clientHome, inHome, runClient } from './client-process.js';

const scene = new GatewayScene();
afterAll(() => scene.end());

describe('login', () => {
  it('keeps what the gateway accepted, for its owner alone, and only for that gateway', async () => {
    const gateway = await scene.gateway();
    const home = clientHome(scene);
    const file = inHome(home, '.config/qmp-gateway/login.json');
    const wrong = await runClient(scene, home, ['login', gateway.url], 'qmpgw_a_b\n');
    expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining('unauthenticated')]);
    expect(() => statSync(file)).toThrow('ENOENT');

    const right = await runClient(scene, home, ['login', gateway.url], `${gateway.token}\n`);
    expect([right.status, right.stdout]).toEqual([0, '']);
    expect(right.stderr).toMatch(/^logged in to http:\S+ as .+, level host, VMs \*\n$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await runClient(scene, home, ['access', '-o', 'name'])).toMatchObject({ status: 0 });
    // Another gateway gets no token of this one.
    const other = await scene.gateway();
    const elsewhere = await runClient(scene, home, ['--url', other.url, '--debug', 'vms']);
    expect(elsewhere.status).toBe(1);
    expect(elsewhere.stderr).not.toMatch(/^> authorization/im);

    const debugged = await runClient(scene, home, ['--debug', 'vms']);
    expect(debugged.stderr).toContain('> Authorization: Bearer ***');
    expect(debugged.stderr).not.toContain(gateway.token?.split('_')[2]);

    expect(await runClient(scene, home, ['logout'])).toMatchObject({ status: 0 });
    expect(readFileSync(file, 'utf8')).not.toContain('qmpgw_');
    expect((await runClient(scene, home, ['vms'])).status).toBe(2);
  });

  it('with the path of a configuration of its own', async () => {
    const gateway = await scene.gateway();
    const home = clientHome(scene);
    const env = { ...home.env, XDG_CONFIG_HOME: inHome(home, 'configuration') };
    const own = { ...home, env };
    expect((await runClient(scene, own, ['login', gateway.url], gateway.token)).status).toBe(0);
    expect(readFileSync(inHome(home, 'configuration/qmp-gateway/login.json'), 'utf8')).toContain(gateway.url);
    // Both variables win, and need no file.
    const given = { ...env, QMPGW_URL: gateway.url, QMPGW_TOKEN: 'qmpgw_other_token' };
    expect((await runClient(scene, { ...own, env: given }, ['vms'])).status).toBe(1);
  });
});

describe('a gateway', () => {
  it('with a certificate of a private authority', async () => {
    const directory = scene.directory();
    const { ca, server, client } = makeCertificates();
    const files = ['cert', 'key', 'ca', 'clientCert', 'clientKey'].map((name) => path.join(directory, `${name}.pem`));
    [server.cert, server.key, ca.cert, client.cert, client.key].forEach((text, at) => writeFileSync(files[at]!, text));
    const [cert, key, authority, ownCert, ownKey] = files as [string, string, string, string, string];
    const gateway = await scene.gateway({
      settings: {
        tls: { cert, key, clientCa: authority },
        clientCertificates: [{ subject: 'CN=qmp-gateway', level: 'operate', vms: ['*'] }],
      },
    });
    const home = clientHome(scene, gateway);
    const unknown = await runClient(scene, home, ['vms']);
    expect([unknown.status, unknown.stdout]).toEqual([3, '']);
    expect(unknown.stderr).toMatch(
      /^qmpctl: https:\S+ cannot be reached: its certificate is of an unknown authority \(name that authority with --ca FILE\)\n$/,
    );
    const trusted = ['--ca', authority, '--cert', ownCert, '--key', ownKey];
    const access = await runClient(scene, home, [...trusted, 'access', '-o', 'name']);
    expect([access.status, access.stderr]).toEqual([0, '']);
    // Kept, so that the next line needs no options.
    expect((await runClient(scene, home, [...trusted, 'login', gateway.url])).status).toBe(0);
    const { QMPGW_URL: _, QMPGW_TOKEN: __, ...env } = home.env;
    expect((await runClient(scene, { ...home, env }, ['access'])).stdout).toContain('operate');
  });

  it('on a unix socket, with and without a token', async () => {
    const directory = scene.directory();
    const [open, closed] = ['open.sock', 'closed.sock'].map((name) => path.join(directory, name)) as [string, string];
    const gateway = await scene.gateway({
      listen: [],
      settings: { listen: ['127.0.0.1:0', { unix: open, level: 'operate' }, { unix: closed }] },
    });
    const vm = await registerVm(gateway, `unix:${(await scene.qemu({ machine: 'q35' })).socket}`);
    const home = clientHome(scene);
    const through = (socket: string, env: object, ...args: string[]) =>
      runClient(scene, { ...home, env: { ...home.env, QMPGW_URL: `unix:${socket}`, ...env } }, args);
    expect(await through(open, {}, 'vms', '-o', 'name')).toEqual({ status: 0, stdout: `${vm}\n`, stderr: '' });
    expect((await through(open, {}, 'exec', vm, 'cont')).status).toBe(0);
    expect((await through(closed, {}, 'vms')).status).toBe(1);
    expect((await through(closed, { QMPGW_TOKEN: gateway.token }, 'vms')).status).toBe(0);
    // A WebSocket goes the same way.
    expect((await through(open, {}, 'serial', vm, '--view')).stderr).toContain('no serial line');
  });
});
