import { launchQemu, type Qemu } from '@qmp-gateway/test-kit';
import type { Browser, Locator, Page, Request } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { launchChromium } from './chromium.js';
import { startGateway, type GatewayProcess } from './gateway-process.js';

/** A page of `/docs` and what the browser did for it. */
interface DocsPage {
  readonly page: Page;
  readonly requests: readonly Request[];
  /** Console lines about the content security policy, and uncaught errors. */
  readonly faults: readonly string[];
}

let qemu: Qemu;
let gateway: GatewayProcess;
let browser: Browser;

beforeAll(async () => {
  qemu = await launchQemu();
  gateway = await startGateway({ args: ['--vm', `web-1=unix:${qemu.socket}`] });
  browser = await launchChromium();
  await gateway.vmBecomes('web-1', 'ready');
});

afterAll(async () => {
  await browser.close();
  await gateway.stop();
  await qemu.stop();
});

async function openDocs(url = `${gateway.url}/docs`): Promise<DocsPage> {
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const requests: Request[] = [];
  const faults: string[] = [];
  page.on('request', (request) => requests.push(request));
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text())) faults.push(message.text());
  });
  await page.goto(url);
  await page.locator('.opblock-tag').first().waitFor();
  return { page, requests, faults };
}

async function enterToken(page: Page, token: string): Promise<void> {
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Use token' }).click();
}

/** `Promise.withResolvers`, which Node has from 22 on. */
function withResolvers(): { promise: Promise<unknown>; resolve: (value: unknown) => void } {
  let resolve: (value: unknown) => void = () => undefined;
  const promise = new Promise<unknown>((settle) => (resolve = settle));
  return { promise, resolve };
}

const titleOf = (page: Page): Locator => page.locator('.info .title');

/** Runs a command by "Try it out" and returns what the page shows as response body. */
async function tryOut(page: Page, tag: string, operation: string, body?: string): Promise<string> {
  const heading = page.locator(`#operations-tag-${tag}`);
  if ((await heading.getAttribute('data-is-open')) !== 'true') await heading.click();
  const block = page.locator(`[id="operations-${tag}-${operation}"]`);
  await block.locator('.opblock-summary-control').click();
  await block.getByRole('button', { name: 'Try it out' }).click();
  if (body !== undefined) await block.locator('textarea').first().fill(body);
  await block.getByRole('button', { name: 'Execute' }).click();
  return block.locator('.live-responses-table .response-col_description pre').first().innerText();
}

describe('/docs in a browser', () => {
  test('a command of a VM runs by "Try it out" with the token', async () => {
    const { page, requests, faults } = await openDocs();
    expect(await titleOf(page).innerText()).toContain('qmp-gateway');

    await enterToken(page, gateway.token!);
    const vm = page.locator('option', { hasText: 'web-1' });
    await vm.waitFor({ state: 'attached' });
    await page.getByLabel('API of').selectOption({ label: (await vm.textContent())! });
    await titleOf(page).filter({ hasText: 'QMP commands' }).waitFor();

    const status = await tryOut(page, 'run-state', 'query-status');
    expect(JSON.parse(status)).toMatchObject({ status: 'prelaunch', running: false });
    // The token is on no screen, in no address and in no storage.
    expect(await page.locator('body').innerText()).not.toContain(gateway.token!);
    expect(requests.map((request) => request.url()).join('\n')).not.toContain(gateway.token!);
    expect(await page.evaluate('JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])')).toBe(
      '[{},{},""]',
    );
    expect(faults).toEqual([]);
  });

  test('a 64-bit integer goes out and comes back digit for digit', async () => {
    const { page } = await openDocs();
    await enterToken(page, gateway.token!);
    await page.locator('option', { hasText: 'web-1' }).waitFor({ state: 'attached' });
    await page.getByLabel('API of').selectOption('/v1/vms/web-1/openapi.json');
    await titleOf(page).filter({ hasText: 'QMP commands' }).waitFor();

    const iothread = '{"qom-type":"iothread","id":"thread-1","poll-max-ns":9223372036854775807}';
    expect(await tryOut(page, 'qom', 'object-add', iothread)).toBe('{}');
    expect(await tryOut(page, 'misc', 'query-iothreads')).toContain('"poll-max-ns": "9223372036854775807"');
  });

  test('the address has no say in what is shown', async () => {
    const foreign = 'https://attacker.invalid/openapi.json';
    const query = `url=${encodeURIComponent(foreign)}&configUrl=${encodeURIComponent(foreign)}&urls.primaryName=x`;
    const { page, requests, faults } = await openDocs(`${gateway.url}/docs?${query}`);
    expect(await titleOf(page).innerText()).toContain('qmp-gateway');
    const asked = requests.filter(
      (request) => !request.url().startsWith('data:') && request.resourceType() !== 'document',
    );
    expect(asked.map((request) => new URL(request.url()).origin)).toEqual(asked.map(() => gateway.url));
    expect(faults).toEqual([]);
  });

  test('without a valid token no VM is offered, catalogs are', async () => {
    const { page } = await openDocs();
    const status = page.getByRole('status');
    await status.filter({ hasText: 'Enter a token' }).waitFor();
    await enterToken(page, 'qmpgw_0000000000000000_wrong');
    await page.locator('#status.fault').waitFor();
    expect(await page.locator('option', { hasText: 'web-1' }).count()).toBe(0);

    await page.getByLabel('API of').selectOption({ label: 'stratovirt 2.4.0' });
    await titleOf(page).filter({ hasText: 'QMP commands of stratovirt 2.4.0' }).waitFor();
  });

  test('with --auth none the VMs are there at once', async () => {
    const open = await startGateway({ args: ['--auth', 'none', '--vm', 'lonely=unix:/nowhere/qmp.sock'] });
    onTestFinished(async () => {
      await open.stop();
    });
    const { page } = await openDocs(`${open.url}/docs`);
    const vm = page.locator('option', { hasText: 'lonely' });
    await vm.waitFor({ state: 'attached' });
    // Never connected, so nothing can be shown of it.
    expect(await vm.isDisabled()).toBe(true);
    expect(await page.getByLabel('Token').isVisible()).toBe(false);
  });

  test('a page with a WebSocket receives STOP', async () => {
    const { page, faults } = await openDocs();
    const execute = async (command: string) =>
      expect((await gateway.fetch(`/v1/vms/web-1/qmp/${command}`, { method: 'POST' })).status).toBe(200);
    await execute('cont');

    const socketUrl = `${gateway.url.replace('http', 'ws')}/v1/ws`;
    const subprotocols = ['qmp-gateway.v1', `bearer.${gateway.token!}`];
    const { promise: subscribed, resolve } = withResolvers();
    await page.exposeFunction('subscribed', resolve);
    const stopped = page.evaluate(`new Promise((resolve, reject) => {
      const socket = new WebSocket(${JSON.stringify(socketUrl)}, ${JSON.stringify(subprotocols)});
      const params = { vm: 'web-1', event: ['STOP', 'RESUME'] };
      socket.onopen = () => socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscribe', params }));
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        if (message.id === 1) subscribed(message);
        else resolve(message);
      };
      socket.onclose = ({ code }) => reject(new Error('closed with ' + code));
    })`);
    expect(await Promise.race([subscribed, stopped])).toMatchObject({ id: 1, result: { subscription: 1 } });

    await execute('stop');
    expect(await stopped).toMatchObject({
      jsonrpc: '2.0',
      method: 'event',
      params: { subscription: 1, vm: 'web-1', event: 'STOP', data: {} },
    });
    expect(faults).toEqual([]);
  });
});

describe('the documents of the gateway', () => {
  test('are the same bytes each time, with a tag', async () => {
    for (const path of ['/openapi.json', '/asyncapi.json', '/docs/catalogs/qemu-10.2.json']) {
      const first = await gateway.fetch(path, { headers: { Authorization: '' } });
      expect(first.headers.get('content-type')).toBe('application/json');
      const again = await gateway.fetch(path);
      expect(await again.text()).toBe(await first.text());
      const etag = first.headers.get('etag')!;
      const unchanged = await gateway.fetch(path, { headers: { 'If-None-Match': etag } });
      expect({ path, status: unchanged.status, body: await unchanged.text() }).toEqual({ path, status: 304, body: '' });
    }
  });

  test('every catalog listed is there, and nothing else', async () => {
    const { catalogs } = (await (await gateway.fetch('/docs/catalogs.json')).json()) as { catalogs: { url: string }[] };
    expect(catalogs.length).toBeGreaterThan(0);
    for (const { url } of catalogs) {
      const document = (await (await gateway.fetch(url)).json()) as { paths: object };
      expect(Object.keys(document.paths).length).toBeGreaterThan(0);
    }
    const missing = await gateway.fetch('/docs/catalogs/..%2f..%2fpackage.json');
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ code: 'route-not-found' });
  });

  test.each(['/docs', '/docs/'])('%s allows no script but its own and no frame around it', async (path) => {
    const answer = await gateway.fetch(path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    const policy = answer.headers.get('content-security-policy')!.split('; ');
    expect(policy).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
      ]),
    );
    expect(await answer.text()).not.toMatch(/<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=/);
  });

  test.each(['index.html', 'swagger-initializer.js', 'swagger-ui-init.js', 'package.json', 'oauth2-redirect.html'])(
    "Swagger UI's own /docs/%s is not served",
    async (name) => {
      expect((await gateway.fetch(`/docs/${name}`)).status).toBe(404);
    },
  );
});
