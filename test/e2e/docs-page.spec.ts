import { launchQemu, type Qemu } from '@qmp-gateway/test-kit';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { launchChromium } from './chromium.js';
import { blockOf, docsAt, enterToken, openBlock, openDocs, titleOf, tryOut, type DocsPage } from './docs-page.js';
import { startGateway, type GatewayProcess } from './gateway-process.js';

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

const open = (url = docsAt(gateway.url)): Promise<DocsPage> => openDocs(browser, url);

/** `Promise.withResolvers`, which Node has from 22 on. */
function withResolvers(): { promise: Promise<unknown>; resolve: (value: unknown) => void } {
  let resolve: (value: unknown) => void = () => undefined;
  const promise = new Promise<unknown>((settle) => (resolve = settle));
  return { promise, resolve };
}

describe('/docs in a browser', () => {
  it('a command of a VM runs by "Try it out" with the token', async () => {
    const { page, requests, faults } = await open();
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

  it('a 64-bit integer goes out and comes back digit for digit', async () => {
    const { page } = await open();
    await enterToken(page, gateway.token!);
    await page.locator('option', { hasText: 'web-1' }).waitFor({ state: 'attached' });
    await page.getByLabel('API of').selectOption('/v1/vms/web-1/openapi.json');
    await titleOf(page).filter({ hasText: 'QMP commands' }).waitFor();

    const iothread = '{"qom-type":"iothread","id":"thread-1","poll-max-ns":9223372036854775807}';
    expect(await tryOut(page, 'qom', 'object-add', iothread)).toBe('{}');
    expect(await tryOut(page, 'misc', 'query-iothreads')).toContain('"poll-max-ns": "9223372036854775807"');
  });

  it('the address has no say in what is shown', async () => {
    const foreign = 'https://attacker.invalid/openapi.json';
    const query = `url=${encodeURIComponent(foreign)}&configUrl=${encodeURIComponent(foreign)}&urls.primaryName=x`;
    const { page, requests, faults } = await open(`${gateway.url}/docs?${query}`);
    expect(await titleOf(page).innerText()).toContain('qmp-gateway');
    const asked = requests.filter(
      (request) => !request.url().startsWith('data:') && request.resourceType() !== 'document',
    );
    expect(asked.map((request) => new URL(request.url()).origin)).toEqual(asked.map(() => gateway.url));
    expect(faults).toEqual([]);
  });

  it('without a valid token no VM is offered, catalogs are', async () => {
    const { page } = await open();
    const status = page.getByRole('status');
    await status.filter({ hasText: 'Enter a token' }).waitFor();
    await enterToken(page, 'qmpgw_0000000000000000_wrong');
    await page.locator('#status.fault').waitFor();
    expect(await page.locator('option', { hasText: 'web-1' }).count()).toBe(0);

    await page.getByLabel('API of').selectOption({ label: 'stratovirt 2.4.0' });
    await titleOf(page).filter({ hasText: 'QMP commands of stratovirt 2.4.0' }).waitFor();
  });

  it('with --auth none the VMs are there at once', async () => {
    const other = await startGateway({ args: ['--auth', 'none', '--vm', 'lonely=unix:/nowhere/qmp.sock'] });
    onTestFinished(async () => {
      await other.stop();
    });
    const { page } = await open(`${other.url}/docs`);
    const vm = page.locator('option', { hasText: 'lonely' });
    await vm.waitFor({ state: 'attached' });
    // Never connected, so nothing can be shown of it.
    expect(await vm.isDisabled()).toBe(true);
    expect(await page.getByLabel('Token').isVisible()).toBe(false);
  });

  it('a link leads to a command of a VM, after the token', async () => {
    const { page } = await open(docsAt(gateway.url, { vm: 'web-1', command: 'device_add' }));
    await page.getByRole('status').filter({ hasText: 'Enter a token to see web-1' }).waitFor();
    await enterToken(page, gateway.token!);
    const block = blockOf(page, 'qdev', 'device_add');
    await block.locator('.responses-wrapper').waitFor();
    expect(await block.evaluate((element) => element.getBoundingClientRect().top)).toBeLessThan(400);
    const { version } = (await (await gateway.fetch('/v1/vms/web-1')).json()) as { version: string };
    expect(await page.title()).toBe(`device_add · web-1 · QMP commands of QEMU ${version} · qmp-gateway API`);
    expect(await titleOf(page).innerText()).toBe(`web-1: QMP commands of QEMU ${version}`);
    expect(await page.getByLabel('API of').inputValue()).toBe('/v1/vms/web-1/openapi.json');

    // Each row has such a link; following one is no new load, and "back" goes where one came from.
    await blockOf(page, 'run-state', 'query-status').getByRole('link').first().click();
    await blockOf(page, 'run-state', 'query-status').locator('.responses-wrapper').waitFor();
    expect(page.url()).toBe(docsAt(gateway.url, { vm: 'web-1', command: 'query-status' }));
    await page.goBack();
    await expect.poll(() => page.title()).toMatch(/^device_add /);
  });

  it('a link to what is not there says so', async () => {
    const { page } = await open(docsAt(gateway.url, { catalog: 'qemu-7.2', command: 'device_ad' }));
    await page.locator('#status.fault', { hasText: 'There is no device_ad in QMP commands of qemu 7.2' }).waitFor();
    await page.goto(docsAt(gateway.url, { vm: 'nobody' }));
    await enterToken(page, gateway.token!);
    await page.locator('#status.fault', { hasText: 'nobody' }).waitFor();
  });

  it('all commands of a VM are in the list, and cost a browser less than 900 KB', async () => {
    const { page, requests } = await open(docsAt(gateway.url, { vm: 'web-1' }));
    await enterToken(page, gateway.token!);
    await blockOf(page, 'qdev', 'device_add').waitFor();
    const listed = await page
      .locator('.opblock-summary-path')
      .evaluateAll((paths) => paths.map(({ dataset }) => dataset['path']));
    const { commands } = (await (await gateway.fetch('/v1/vms/web-1/schema')).json()) as {
      commands: { name: string }[];
    };
    expect([...new Set(listed)].sort()).toEqual(commands.map(({ name }) => `/qmp/${name}`).sort());
    expect(await page.locator('.filter-container .count').innerText()).toBe(`${commands.length} commands`);

    await openBlock(page, 'qdev', 'device_add');
    const sizes = await Promise.all(requests.map(async (request) => (await request.sizes()).responseBodySize));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    expect(bytes).toBeLessThan(900_000);
    process.stdout.write(
      `/docs with the commands of a VM and one of them open: ${requests.length} requests, ${bytes} bytes\n`,
    );
  });

  it('the filter opens the tag of what it finds', async () => {
    const { page } = await open(docsAt(gateway.url, { catalog: 'qemu-7.2' }));
    const heading = page.locator('#operations-tag-qdev');
    await heading.click();
    expect(await heading.getAttribute('data-is-open')).toBe('false');
    await blockOf(page, 'qdev', 'device_add').waitFor({ state: 'hidden' });

    const filter = page.getByLabel('Filter');
    await filter.fill('DEVICE plug');
    await blockOf(page, 'qdev', 'device_add').waitFor();
    expect(await page.locator('.opblock:visible').count()).toBeLessThan(5);
    expect(await page.locator('.filter-container .count').innerText()).toMatch(/^\d of \d{3} commands$/);
    await filter.fill('device_add');
    await filter.press('Enter');
    await blockOf(page, 'qdev', 'device_add').locator('.responses-wrapper').waitFor();
    expect(page.url()).toBe(docsAt(gateway.url, { catalog: 'qemu-7.2', command: 'device_add' }));
    await filter.fill('nothing of this');
    expect(await page.locator('.opblock:visible').count()).toBe(0);
    await filter.fill('');
    expect(await page.locator('.opblock:visible').count()).toBeGreaterThan(200);
  });

  it('an open operation has an example for each class of problems, and fits on a few screens', async () => {
    const { page } = await open(docsAt(gateway.url, { catalog: 'qemu-10.2' }));
    // Those with the most arguments and answers.
    const operations = [
      ...[
        ['block-core', 'blockdev-add'],
        ['block-core', 'blockdev-create'],
        ['block-core', 'query-block'],
      ],
      ...[
        ['qom', 'object-add'],
        ['migration', 'migrate-set-parameters'],
        ['migration', 'query-migrate'],
      ],
      ...[
        ['transaction', 'transaction'],
        ['net', 'netdev_add'],
        ['char', 'chardev-add'],
        ['virtio', 'x-query-virtio-status'],
      ],
    ] as const;
    for (const [tag, operation] of operations) {
      const block = await openBlock(page, tag, operation);
      const height = (await block.boundingBox())!.height;
      expect(height, operation).toBeLessThan(2500);
      const codes = await block
        .locator('.responses-table .response')
        .evaluateAll((rows) => rows.map(({ dataset }) => dataset['code'] ?? ''));
      expect(codes.filter((code) => /^[45]/.test(code))).toEqual(['4XX', '5XX']);
      expect(await block.locator('[data-code="4XX"]').innerText()).toContain('"code": "command-failed"');
      await block.locator('.opblock-summary-control').click();
    }
  });

  it('a page with a WebSocket receives STOP', async () => {
    const { page, faults } = await open();
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

describe('the files of the page', () => {
  const compressed = { headers: { 'Accept-Encoding': 'gzip' } };

  it('are compressed, and kept as long as they are the same', async () => {
    const page = await gateway.fetch('/docs');
    expect(page.headers.get('cache-control')).toBe('no-cache');
    const files = [...(await page.text()).matchAll(/(?:href|src)="([^"]+)"/g)].map(([, file]) => `/${file!}`);
    expect(files.length).toBeGreaterThan(5);
    for (const file of files) {
      const { status, headers } = await gateway.fetch(file, compressed);
      expect([file, status, headers.get('cache-control')]).toEqual([file, 200, 'public, max-age=31536000, immutable']);
      const isSmall = file.endsWith('.png') || headers.get('content-encoding') === null;
      if (isSmall) expect(Number(headers.get('content-length'))).toBeLessThan(1200);
      expect(headers.get('vary')).toBe(isSmall ? null : 'Accept-Encoding');
    }
    const stale = await gateway.fetch(files[0]!.replace(/files\/[^/]+/, 'files/0123456789abcdef'));
    expect([stale.status, stale.headers.get('cache-control')]).toEqual([404, 'no-store']);
  });

  it('are asked for once', async () => {
    const { page } = await open(docsAt(gateway.url, { catalog: 'qemu-7.2' }));
    await openBlock(page, 'qdev', 'device_add');
    await page.reload();
    await openBlock(page, 'qdev', 'device_add');
    const transferred = await page.evaluate(
      "performance.getEntriesByType('resource').filter(({ name }) => name.includes('/docs/files/')).map(({ transferSize }) => transferSize)",
    );
    expect(new Set(transferred as number[])).toEqual(new Set([0]));
  });
});

describe('the documents of the gateway', () => {
  it('are compressed for whoever takes that, to less than a fifth', async () => {
    for (const path of [
      '/openapi.json',
      '/docs/catalogs/qemu-10.2.json',
      '/v1/vms/web-1/openapi.json',
      '/v1/vms/web-1/schema',
    ]) {
      const plain = await gateway.fetch(path, { headers: { 'Accept-Encoding': 'identity' } });
      const small = await gateway.fetch(path, { headers: { 'Accept-Encoding': 'gzip' } });
      expect(await small.text()).toBe(await plain.text());
      expect([path, plain.headers.get('content-encoding'), small.headers.get('content-encoding')]).toEqual([
        path,
        null,
        'gzip',
      ]);
      expect(Number(small.headers.get('content-length'))).toBeLessThan(Number(plain.headers.get('content-length')) / 5);
      expect(small.headers.get('vary')).toBe('Accept-Encoding');
    }
  });

  it('say whose commands they have', async () => {
    const { info } = (await (await gateway.fetch('/openapi.json')).json()) as { info: { description: string } };
    expect(info.description).toMatch(/those of QEMU \d+\.\d+\.\d+, .* `\/v1\/vms\/\{vm\}\/openapi\.json`/);
  });

  it('are the same bytes each time, with a tag', async () => {
    for (const path of ['/openapi.json', '/asyncapi.json', '/docs/catalogs/qemu-10.2.json', '/problems/vm-not-found']) {
      const first = await gateway.fetch(path, { headers: { Authorization: '' } });
      expect(first.headers.get('cache-control')).toBe('no-cache');
      expect(first.headers.get('content-type')).toContain(
        path.startsWith('/problems') ? 'text/plain' : 'application/json',
      );
      const again = await gateway.fetch(path);
      expect(await again.text()).toBe(await first.text());
      const etag = first.headers.get('etag')!;
      const unchanged = await gateway.fetch(path, { headers: { 'If-None-Match': etag } });
      expect({ path, status: unchanged.status, body: await unchanged.text() }).toEqual({ path, status: 304, body: '' });
    }
  });

  it('every catalog listed is there, and nothing else', async () => {
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

  it.each(['/docs'])('%s allows no script but its own and no frame around it', async (path) => {
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

  it.each(['index.html', 'swagger-initializer.js', 'swagger-ui-init.js', 'package.json', 'oauth2-redirect.html'])(
    "Swagger UI's own /docs/%s is not served",
    async (name) => {
      expect((await gateway.fetch(`/docs/${name}`)).status).toBe(404);
    },
  );
});
