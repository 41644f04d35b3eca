/** A gateway below a path of another server, as docs/reverse-proxies.md has it: links and pages lead there. */
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { launchChromium } from './chromium.js';
import { blockOf, docsAt, enterToken, openDocs, tryOut } from './docs-page.js';
import { fakeMachine, fakeMachineSettings } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm } from './gateway-scene.js';
import { before, freePort, installed, nginx, publicName, type Front, type Proxy } from './reverse-proxy.js';

const scene = new GatewayScene();
let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium(`--host-resolver-rules=MAP ${publicName} 127.0.0.1`);
});
afterEach(() => scene.end());
afterAll(() => browser.close());

interface Place extends Front {
  readonly gateway: GatewayProcess;
  /** Where browsers find it. */
  readonly url: string;
}

async function below(prefix: string, proxy: Proxy): Promise<Place> {
  const port = await freePort();
  const url = `https://${publicName}:${port}${prefix}`;
  const gateway = await scene.gateway({
    settings: { ...fakeMachineSettings, listen: ['127.0.0.1:0'], publicUrl: url },
  });
  return { gateway, url, ...(await before(scene, gateway, proxy, { port, alive: `${prefix}/livez` })) };
}

const passedOn = nginx([['location / {', 'location /qemu/ {']]);
const takenOff = nginx([
  ['location / {', 'location /qemu/ {'],
  ['proxy_pass http://qmp_gateway;', 'proxy_pass http://qmp_gateway/;'],
]);
const [nginxIsThere] = installed([passedOn]);
const ways: (readonly [string, Proxy])[] = nginxIsThere
  ? [
      ['passes the path on', passedOn],
      ['takes it off', takenOff],
    ]
  : [];

it('has blocks to change', () => {
  for (const proxy of [passedOn, takenOff]) expect(proxy.prepare(scene.directory(), 1, '2')).toContain('-c');
});

describe.each(ways)('behind nginx at /qemu/ that %s', (_, proxy) => {
  it('links lead through the proxy', async () => {
    const { gateway, ask, target } = await below('/qemu', proxy);
    const machine = await fakeMachine(scene);
    const vm = await registerVm(gateway, machine.endpoint);
    const json = async (path: string) => JSON.parse(await text(await ask(path))) as Record<string, unknown>;

    const begun = await ask(`/qemu/v1/vms/${vm}/qmp/stop`, {
      ...{ method: 'POST', body: '{}', headers: { Prefer: 'respond-async', Origin: `https://${publicName}` } },
    });
    expect(begun.statusCode).toBe(403);
    const accepted = await ask(`/qemu/v1/vms/${vm}/qmp/stop`, {
      ...{ method: 'POST', body: '{}', headers: { Prefer: 'respond-async' } },
    });
    expect([accepted.statusCode, accepted.headers.location]).toEqual([
      202,
      expect.stringMatching(/^\/qemu\/v1\/vms\//),
    ]);
    expect(await json(accepted.headers.location ?? '')).toMatchObject({ vm, command: 'stop' });

    machine.fake.on('query-name', () => null);
    const late = await ask(`/qemu/v1/vms/${vm}/qmp/query-name`, { headers: { 'Request-Timeout': '100ms' } });
    const problem = JSON.parse(await text(late)) as { operation: string; type: string };
    expect(problem).toMatchObject({ type: '/qemu/problems/deadline-exceeded' });
    expect(await json(problem.operation)).toMatchObject({ vm, command: 'query-name' });
    expect((await ask(problem.type)).statusCode).toBe(200);

    expect((await json(`/qemu/v1/vms/${vm}/openapi.json`))['servers']).toEqual([{ url: `/qemu/v1/vms/${vm}` }]);
    expect((await json('/qemu/openapi.json'))['servers']).toMatchObject([{ url: '/qemu' }]);
    const catalogs = (await json('/qemu/docs/catalogs.json'))['catalogs'] as { url: string }[];
    expect((await json(catalogs[0]!.url))['servers']).toMatchObject([{ url: '/qemu/v1/vms/{vm}' }]);
    expect(await json('/qemu/asyncapi.json')).toMatchObject({ servers: { ws: { pathname: '/qemu' } } });
    const cookie = await ask('/qemu/v1/session', { method: 'POST' });
    expect(cookie.headers['set-cookie']?.[0]).toContain('Path=/qemu/v1;');

    const socket = new WebSocket(`wss://127.0.0.1:${String(target.port)}/qemu/v1/ws`, ['qmp-gateway.v1'], {
      ...{ ca: target.ca, servername: 'localhost' },
      headers: { Host: publicName, Authorization: `Bearer ${gateway.token ?? ''}` },
    });
    scene.keep(socket, (one) => one.terminate());
    await once(socket, 'open');
  });

  it('/docs works, and "Try it out" reaches the VM', async () => {
    const { gateway, url } = await below('/qemu', proxy);
    const vm = await registerVm(gateway, `unix:${(await scene.qemu()).socket}`);
    const { page, requests, faults } = await openDocs(browser, docsAt(url, { vm, command: 'query-status' }), {
      ignoreHTTPSErrors: true,
    });
    await enterToken(page, gateway.token ?? '');
    await blockOf(page, 'run-state', 'query-status').locator('.responses-wrapper').waitFor();
    expect(JSON.parse(await tryOut(page, 'run-state', 'query-status'))).toMatchObject({ running: false });
    // A page sends its origin with what changes something.
    expect(await tryOut(page, 'misc', 'cont')).toBe('{}');
    const elsewhere = requests.map((request) => request.url()).filter((asked) => !asked.startsWith(`${url}/`));
    expect(elsewhere.filter((asked) => !asked.startsWith('data:'))).toEqual([]);
    expect(faults).toEqual([]);
  });
});
