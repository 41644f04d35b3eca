import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchChromium } from './chromium.js';
import { fakeMachine, fakeMachineSettings } from './fake-machine.js';
import { GatewayScene, registerVm } from './gateway-scene.js';

const lossMs = 5000;
const scene = new GatewayScene();
let browser: Browser;

beforeAll(async () => {
  browser = scene.keep(await launchChromium(), (one) => one.close());
});
afterAll(() => scene.end());

/** The network between a page and the gateway's unix socket. */
class Network {
  readonly #sockets = new Set<Socket>();
  #isUp = true;
  /** Connections tried while it was down. */
  refused = 0;
  readonly #server = createServer((client) => {
    if (!this.#isUp) {
      this.refused++;
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.target);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.pipe(server);
    server.pipe(client);
  });

  constructor(private readonly target: string) {}

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  down(): void {
    this.#isUp = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  up(): void {
    this.#isUp = true;
  }

  stop(): void {
    this.down();
    this.#server.close();
  }
}

/** What a page does to miss nothing: EventSource by itself, a WebSocket by asking for what comes after the last one. */
const pageScript = (vm: string) => `
  window.bySource = [];
  window.bySocket = [];
  window.opened = { source: 0, socket: 0 };
  const source = new EventSource('/v1/vms/${vm}/events?event=TICK');
  source.onopen = () => window.opened.source++;
  source.onmessage = ({ data }) => window.bySource.push(JSON.parse(data));
  let after;
  function open() {
    const socket = new WebSocket(location.origin.replace('http', 'ws') + '/v1/ws', 'qmp-gateway.v1');
    socket.onopen = () =>
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscribe', params: { vm: '${vm}', event: 'TICK', after } }));
    socket.onmessage = ({ data }) => {
      const { id, result, params } = JSON.parse(data);
      if (id === 1) {
        after = result.cursor;
        window.opened.socket++;
      } else {
        after = params.cursor;
        window.bySocket.push(params);
      }
    };
    socket.onclose = () => setTimeout(open, 300);
  }
  open();
`;

it('a page that loses its network for 5 s has every event once, by EventSource and by WebSocket', async () => {
  const socket = path.join(scene.directory(), 'gateway.sock');
  const gateway = await scene.gateway({
    listen: ['127.0.0.1:0', `unix:${socket}`],
    args: ['--auth', 'none', '--allow-host'],
    settings: fakeMachineSettings,
  });
  const { fake, endpoint } = await fakeMachine(scene);
  const vm = await registerVm(gateway, endpoint);
  const network = scene.keep(new Network(socket), (one) => one.stop());
  const page = await browser.newPage();
  await page.goto(`${await network.start()}/v1`);
  await page.evaluate(pageScript(vm));
  await page.waitForFunction('opened.source === 1 && opened.socket === 1');

  let ticks = 0;
  const ticking = setInterval(() => fake.emit('TICK', { tick: ++ticks }), 10);
  scene.keep(ticking, clearInterval);
  await page.waitForFunction('bySource.length > 20 && bySocket.length > 20');
  network.down();
  await new Promise((resolve) => setTimeout(resolve, lossMs));
  const missedInLoss = ticks - (await page.evaluate<number>('bySource.length'));
  network.up();
  await page.waitForFunction('opened.source === 2 && opened.socket === 2', undefined, { timeout: 20_000 });
  clearInterval(ticking);
  await page.waitForFunction(
    `bySource.at(-1).data.tick === ${ticks} && bySocket.at(-1).data.tick === ${ticks}`,
    undefined,
    { timeout: 20_000 },
  );
  // Long enough that nothing of it came through while the network was down.
  expect(missedInLoss).toBeGreaterThan(100);
  expect(network.refused).toBeGreaterThan(0);
  const ticksOf = (name: string) => page.evaluate(`${name}.map(({ event, data }) => event + data.tick)`);
  const expected = Array.from({ length: ticks }, (_, index) => `TICK${index + 1}`);
  expect(await ticksOf('bySource')).toEqual(expected);
  expect(await ticksOf('bySocket')).toEqual(expected);
});
