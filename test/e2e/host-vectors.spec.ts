import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, registerVm } from './gateway-scene.js';
import { exchange } from './http-exchange.js';
import { Entrances } from './policy-entrances.js';
import { hostVectors } from './policy-samples.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let vm: string;
/** Commands of this release. */
let names: ReadonlySet<string>;
/** All that came to QEMU. */
let received = '';

/** The gateway asks a VM that does not run for its state. */
const ownQuestion = /\{"execute":"query-status","id":\d+\}/g;

/** A socket that leads to another one, and writes down what goes there. */
async function tapped(socket: string): Promise<string> {
  const tap = path.join(scene.directory(), 'tap');
  const server = createServer((client) => {
    const qemu = connect(socket);
    client.on('data', (bytes) => (received += bytes.toString()));
    for (const [one, other] of [[client, qemu] as const, [qemu, client] as const])
      one.on('error', () => other.destroy()).pipe(other);
  }).listen(tap);
  await once(server, 'listening');
  scene.keep(server, () => server.close());
  return tap;
}

beforeAll(async () => {
  gateway = await scene.gateway();
  vm = await registerVm(gateway, `unix:${await tapped((await scene.qemu()).socket)}`);
  const offered = (await exchange(gateway, `/v1/vms/${vm}/qmp/query-commands`)).json() as unknown as { name: string }[];
  names = new Set(offered.map(({ name }) => name));
});
afterAll(() => scene.end());

describe.each(['read', 'operate', 'configure'] as const)('level %s', (level) => {
  it('has no way into the host of a real QEMU, by no entrance: nothing is sent', async () => {
    const token = makeToken(gateway, { level, vms: ['*'] });
    const entrances = scene.keep(await Entrances.open(gateway, vm, token), (open) => open.close());
    received = '';
    const wrong: unknown[] = [];
    for (const oob of [false, true])
      for (const [command, args] of hostVectors) {
        const verdicts = await entrances.run(command, args, { oob });
        const refusal = names.has(command) ? 'forbidden' : 'command-not-found';
        const { monitor, ...others } = verdicts;
        if (
          monitor !== (refusal === 'forbidden' ? refusal : 'error') ||
          Object.values(others).some((verdict) => verdict !== refusal)
        )
          wrong.push({ command, args, oob, verdicts });
      }
    expect(wrong).toEqual([]);
    expect(received.replaceAll(ownQuestion, '')).toBe('');
    // The tap is one: what is allowed comes by.
    await entrances.run('query-version', undefined);
    expect(received).toContain('query-version');
  });
});

it('most of them are commands of this release', () => {
  expect(hostVectors.filter(([command]) => names.has(command)).length).toBeGreaterThan(100);
});
