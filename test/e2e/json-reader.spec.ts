import { RawQmpClient } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GatewayScene } from './gateway-scene.js';
import { JsonComparison } from './json-comparison.js';
import { argumentsText } from './json-values.js';
import { randomNumbers } from './random-numbers.js';

const texts = 4000;
/** The same ones each time; the long test takes others. */
const seed = 14;

const scene = new GatewayScene();
let monitor: RawQmpClient;

beforeAll(async () => {
  const qemu = await scene.qemu();
  monitor = scene.keep(await RawQmpClient.connect(qemu.socket), (client) => client.close());
  await monitor.negotiate();
});
afterAll(() => scene.end());

it('reads JSON as a real QEMU does, but for differences that have their reason', async () => {
  const random = randomNumbers(seed);
  const comparison = new JsonComparison(monitor);
  let left = texts;
  await comparison.run(() => (left-- > 0 ? argumentsText(random) : undefined));
  expect(comparison.differences.filter(({ isKnown }) => !isKnown)).toEqual([]);
  expect(comparison.compared).toBe(texts);
  // Of a comparison of what is always refused, or always taken, nothing would follow.
  expect(comparison.taken).toBeGreaterThan(texts / 4);
  expect(comparison.taken).toBeLessThan((texts * 3) / 4);
});
