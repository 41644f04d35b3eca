/** The built client in a real browser, on a page of another origin. */
import { readFileSync } from 'node:fs';
import type * as clientPackage from '@qmp-gateway/client';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchChromium, serveFiles } from './chromium.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm } from './gateway-scene.js';

const scene = new GatewayScene();
let browser: Browser;
let gateway: GatewayProcess;
let origin: string;
let vm: string;

beforeAll(async () => {
  origin = await serveClient();
  gateway = await scene.gateway({ settings: { listen: ['127.0.0.1:0'], allowedOrigins: [origin] } });
  vm = await registerVm(gateway, `unix:${(await scene.qemu()).socket}`);
  browser = scene.keep(await launchChromium(), (started) => started.close());
});
afterAll(() => scene.end());

const pageText = `<!doctype html><link rel="icon" href="data:,">
<script type="module">import * as client from '/index.js'; globalThis.gatewayClient = client;</script>`;

/** A page that has the client, and the modules of that beside it. @returns its origin */
function serveClient(): Promise<string> {
  const modules = new URL('../../libs/client/dist/', import.meta.url);
  return serveFiles(scene, (url) => (url === '/' ? pageText : readFileSync(new URL(`.${url}`, modules))));
}

it.each(['sse', 'websocket'] as const)('runs commands and follows events over %s', async (transport) => {
  const page = await browser.newPage();
  await page.goto(origin);
  const seen = await page.evaluate(
    async (given) => {
      const { gatewayClient: module } = globalThis as unknown as { gatewayClient: typeof clientPackage };
      const client = new module.GatewayClient({ url: given.url, token: given.token });
      const thread = `io-${given.transport}`;
      const wide = 9223372036854775807n;
      await client.vm(given.vm).execute('object-add', { 'qom-type': 'iothread', id: thread, 'poll-max-ns': wide });
      const threads = await client.vm(given.vm).query('query-iothreads');
      const { cursor } = await client.vm(given.vm).executeInFull('cont');
      await client.vm(given.vm).execute('stop');
      const events: string[] = [];
      const options = {
        transport: given.transport,
        event: ['STOP', 'RESUME'],
        after: cursor,
      };
      for await (const { event } of client.events(options)) if (events.push(event) === 2) break;
      const failure: unknown = await client
        .vm(given.vm)
        .execute('no-such-command')
        .catch((error: unknown) => error);
      return {
        isExact: threads.find(({ id }) => id === thread)?.['poll-max-ns'] === wide,
        events,
        code: failure instanceof module.GatewayProblem ? failure.code : String(failure),
      };
    },
    { url: gateway.url, token: gateway.token ?? '', vm, transport },
  );
  expect(seen).toEqual({ isExact: true, events: ['RESUME', 'STOP'], code: 'command-not-found' });
});
