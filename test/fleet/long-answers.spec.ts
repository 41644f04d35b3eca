import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { change } from '../e2e/fake-machine.js';
import { run } from '../e2e/gateway-scene.js';
import { FleetScene } from './fleet-scene.js';

let scene: FleetScene;

beforeEach(async () => {
  scene = new FleetScene();
  await scene.startNats();
});
afterEach(() => scene.end());

describe('a long answer of another node', () => {
  it('comes byte for byte, and small commands go on meanwhile', async () => {
    const settings = { limits: { replyBytes: '1GiB', lineBytes: '80MiB' } };
    const [a, b] = await Promise.all([scene.node('A', { settings }), scene.node('B', { settings })]);
    const machine = await scene.vm('large', b, [a]);
    await scene.vm('small', b, [a]);
    for (const mebibytes of [16, 64]) {
      const value = JSON.stringify(randomBytes(mebibytes * 512 * 1024).toString('hex'));
      machine.fake.on(change, () => ({ json: value }));
      const wait = { 'Request-Timeout': '60s' };
      const state = { isDone: false };
      const large = run(a, 'large', change, { args: '{}', headers: wait }).finally(() => (state.isDone = true));
      const times: number[] = [];
      while (!state.isDone) {
        const from = performance.now();
        expect((await run(a, 'small', 'query-status')).status).toBe(200);
        times.push(performance.now() - from);
      }
      const answer = await large;
      expect(answer.status).toBe(200);
      expect(answer.text === value).toBe(true);
      times.sort((x, y) => x - y);
      if (process.env['FLEET_TIMES'] !== undefined)
        process.stderr.write(
          `${mebibytes} MiB: ${times.length} small ones, p50 ${times[times.length >> 1]?.toFixed(1)} ms, most ${times.at(-1)?.toFixed(1)} ms\n`,
        );
    }
  });
});
