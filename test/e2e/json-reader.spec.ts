import { RawQmpClient } from '@qmp-gateway/test-kit';
import { afterAll, expect, it } from 'vitest';
import { startGuestAgent } from './agent-scene.js';
import { GatewayScene } from './gateway-scene.js';
import { JsonComparison } from './json-comparison.js';
import { argumentsText } from './json-values.js';
import { randomNumbers } from './random-numbers.js';

/** The same ones each time; the long test takes others. */
const seed = 14;

const scene = new GatewayScene();
afterAll(() => scene.end());

async function connected(socket: string): Promise<RawQmpClient> {
  return scene.keep(await RawQmpClient.connect(socket), (client) => client.close());
}

async function compare(server: RawQmpClient, texts: number): Promise<void> {
  const random = randomNumbers(seed);
  const comparison = new JsonComparison(server);
  let left = texts;
  await comparison.run(() => (left-- > 0 ? argumentsText(random) : undefined));
  expect(comparison.differences.filter(({ isKnown }) => !isKnown)).toEqual([]);
  expect(comparison.compared).toBe(texts);
  // Of a comparison of what is always refused, or always taken, nothing would follow.
  expect(comparison.taken).toBeGreaterThan(texts / 4);
  expect(comparison.taken).toBeLessThan((texts * 3) / 4);
}

it('reads JSON as a real QEMU does, but for differences that have their reason', async () => {
  const monitor = await connected((await scene.qemu()).socket);
  await monitor.negotiate();
  await compare(monitor, 4000);
});

it('takes no answer to the end of a text for an answer to the whole', async () => {
  const monitor = await connected((await scene.qemu()).socket);
  await monitor.negotiate();
  const comparison = new JsonComparison(monitor);
  const texts = [String.raw`\{"":"", "vp":"px","do":'rx'`, '@{"a":1', '{}}{"a":1'].map((text) => Buffer.from(text));
  await comparison.run(() => texts.shift());
  expect(comparison.differences).toEqual([]);
  expect(comparison.compared).toBe(3);
});

it('reads JSON as a real guest agent does, but for the same differences', async () => {
  const agent = await startGuestAgent(scene, scene.directory());
  await compare(await connected(agent.socket), 1000);
});
