import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { GatewayScene } from './gateway-scene.js';

const scene = new GatewayScene();
const coverage = mkdtempSync(join(tmpdir(), 'qmpgw-loaded-'));
afterAll(async () => {
  await scene.end();
  rmSync(coverage, { recursive: true });
});

it('loads nothing of NATS, and of the fleet only what says that there is none, without the setting', async () => {
  // Node lists there what it loaded, when it ends.
  const gateway = await scene.gateway({ env: { NODE_V8_COVERAGE: coverage } });
  await gateway.stop();
  const files = readdirSync(coverage).map((name) => readFileSync(join(coverage, name), 'utf8'));
  const loaded = files.flatMap((text) =>
    (JSON.parse(text) as { result: { url: string }[] }).result.map(({ url }) => url),
  );
  expect(loaded.filter((url) => url.endsWith('/entrance/dispatcher.js'))).toHaveLength(1);
  expect(loaded.filter((url) => url.includes('/@nats-io/'))).toEqual([]);
  const fleet = loaded.map((url) => /\/dist\/fleet\/(.*)$/.exec(url)?.[1]).filter((name) => name !== undefined);
  expect(fleet.sort()).toEqual(['fleet-dependencies.js', 'fleet-life.js', 'fleet.module.js']);
});
