import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launchChromium } from './chromium.js';
import { fakeMachine, fakeMachineSettings, type FakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm } from './gateway-scene.js';
import { exchange } from './http-exchange.js';

const scene = new GatewayScene();
let browser: Browser;
let gateway: GatewayProcess;
let machine: FakeMachine;
let vm: string;
let foreign: string;

beforeAll(async () => {
  // The worst case for these attacks: whoever reaches the gateway may do anything.
  gateway = await scene.gateway({ settings: fakeMachineSettings, args: ['--auth', 'none', '--allow-host'] });
  machine = await fakeMachine(scene);
  vm = await registerVm(gateway, machine.endpoint);
  const server: Server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>another site</title><body></body>');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  scene.keep(server, (made) => {
    made.closeAllConnections();
    made.close();
  });
  foreign = `http://localhost:${(server.address() as AddressInfo).port}/`;
  browser = scene.keep(await launchChromium(), (launched) => launched.close());
});
afterAll(() => scene.end());
beforeEach(() => machine.takeReceived());

async function onPage<T>(address: string, attack: (page: Page) => Promise<T>): Promise<T> {
  const page = await browser.newPage();
  try {
    await page.goto(address);
    return await attack(page);
  } finally {
    await page.close();
  }
}
const target = () => ({ base: gateway.url, socket: gateway.url.replace('http', 'ws'), vm });

describe('a page of another origin on the same machine', () => {
  it('opens no WebSocket', async () => {
    const outcomes = await onPage(foreign, (page) =>
      page.evaluate(async ({ socket, vm: id }) => {
        const open = (url: string, protocol: string) =>
          new Promise<string>((resolve) => {
            const made = new WebSocket(url, protocol);
            made.onopen = () => resolve('open');
            made.onerror = () => resolve('refused');
          });
        return [await open(`${socket}/v1/ws`, 'qmp-gateway.v1'), await open(`${socket}/v1/vms/${id}/monitor`, 'qmp')];
      }, target()),
    );
    expect(outcomes).toEqual(['refused', 'refused']);
  });

  it('runs no command by what needs no asking: text, blind requests, forms', async () => {
    const statuses = await onPage(foreign, async (page) => {
      const sent = await page.evaluate(async ({ base, vm: id }) => {
        const attempt = (init: RequestInit) =>
          fetch(`${base}/v1/vms/${id}/qmp`, { method: 'POST', body: '{"execute":"stop"}', ...init }).then(
            (answer) => answer.type,
            () => 'failed',
          );
        return [
          await attempt({ headers: { 'Content-Type': 'text/plain' } }),
          await attempt({ mode: 'no-cors' }),
          await attempt({ headers: { 'Content-Type': 'application/json' } }),
        ];
      }, target());
      const submitted = page.waitForResponse((answer) => answer.url().includes('/qmp/stop'));
      await page.evaluate(({ base, vm: id }) => {
        const form = document.createElement('form');
        form.method = 'POST';
        form.action = `${base}/v1/vms/${id}/qmp/stop`;
        document.body.append(form);
        form.submit();
      }, target());
      return [...sent, (await submitted).status()];
    });
    // An opaque answer tells the page nothing, not even the status.
    expect(statuses).toEqual(['failed', 'opaque', 'failed', 403]);
    expect(machine.takeReceived()).toEqual([]);
  });

  it('reads nothing: fetch, EventSource, a picture, a script, a frame', async () => {
    const outcomes = await onPage(foreign, (page) =>
      page.evaluate(async ({ base }) => {
        const loads = (tag: 'img' | 'script', src: string) =>
          new Promise<string>((resolve) => {
            const element = document.createElement(tag);
            element.onload = () => resolve('loaded');
            element.onerror = () => resolve('refused');
            element.src = src;
            document.body.append(element);
          });
        const events = new Promise<string>((resolve) => {
          const source = new EventSource(`${base}/v1/events`);
          source.onopen = () => resolve('open');
          source.onerror = () => {
            source.close();
            resolve('refused');
          };
        });
        const fetched = await fetch(`${base}/v1/vms`).then(
          () => 'read',
          () => 'refused',
        );
        return [fetched, await events, await loads('img', `${base}/v1/vms`), await loads('script', `${base}/v1/vms`)];
      }, target()),
    );
    expect(outcomes).toEqual(['refused', 'refused', 'refused', 'refused']);
  });

  it('frames no page of ours', async () => {
    const status = await onPage(foreign, async (page) => {
      const framed = page.waitForResponse((answer) => answer.url().endsWith('/docs/'));
      await page.evaluate(({ base }) => {
        const frame = document.createElement('iframe');
        frame.src = `${base}/docs/`;
        document.body.append(frame);
      }, target());
      return (await framed).status();
    });
    expect(status).toBe(403);
  });
});

it('a rebound name reads nothing, although it is the same origin to the browser', async () => {
  // Chromium takes every name below localhost for this machine, as an attacker's name server would have it.
  const address = `${gateway.url.replace('127.0.0.1', 'rebound.localhost')}/v1`;
  const { status, fetched } = await onPage('about:blank', async (page) => {
    const answer = await page.goto(address);
    const text = await page.evaluate(() => fetch('/v1/vms').then((response) => response.text()));
    return { status: answer?.status(), fetched: text };
  });
  expect(status).toBe(403);
  expect(JSON.parse(fetched)).toMatchObject({ code: 'host-refused' });
});

it('what a guest or a client says is never markup', async () => {
  const markup = '<img src=x onerror="document.title=1"><script>document.title=1</script>';
  machine.fake.on('query-name', () => ({ return: { name: markup } }));
  machine.fake.on('cont', () => ({ error: { class: 'GenericError', desc: markup } }));
  machine.fake.connections.at(-1)?.event('GUEST_SAID', { said: markup });
  const inPath = encodeURIComponent(markup);
  const resources = [
    ...[`/v1/vms/${vm}/qmp/query-name`, '/v1/events?event=GUEST_SAID&wait=5s', `/v1/vms/${inPath}`, `/${inPath}`],
    ...[`/v1/vms/${vm}/qmp/${inPath}`, `/v1/vms?${inPath}=1`, `/problems/${inPath}`, `/docs/${inPath}`],
  ];
  for (const resource of resources) {
    const { shown, title, type, sniffing } = await onPage('about:blank', async (page) => {
      const answer = await page.goto(gateway.url + resource);
      const headers = answer?.headers() ?? {};
      return {
        shown: await page.evaluate(() => document.body.textContent),
        title: await page.title(),
        type: headers['content-type'],
        sniffing: headers['x-content-type-options'],
      };
    });
    expect([resource, title, sniffing]).toEqual([resource, '', 'nosniff']);
    expect([resource, type]).toEqual([resource, expect.stringMatching(/^application\/(?:problem\+)?json/)]);
    if (resource.startsWith('/v1')) expect(shown, resource).toContain('onerror');
  }
  machine.takeReceived();
  const refused = await exchange(gateway, `/v1/vms/${vm}/qmp/cont`, { method: 'POST' });
  expect(refused.json()).toMatchObject({ code: 'command-failed', qmp: { desc: markup } });
  expect(refused.headers).toMatchObject({ 'x-content-type-options': 'nosniff' });
  expect(refused.headers['content-type']).toMatch(/^application\/problem\+json/);
});

it('a page of our own origin works', async () => {
  const read = await onPage(`${gateway.url}/v1`, (page) =>
    page.evaluate(async ({ vm: id }) => {
      const stopped = await fetch(`/v1/vms/${id}/qmp/stop`, { method: 'POST' });
      return [(await fetch('/v1/vms')).status, stopped.status];
    }, target()),
  );
  expect(read).toEqual([200, 200]);
  expect(machine.takeReceived()).toEqual(['stop']);
});
