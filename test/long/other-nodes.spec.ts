import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const execute = promisify(execFile);
/** A release is 100 MB, and is fetched once. */
const fetchDeadlineMs = 120_000;
const testsDeadlineMs = 300_000;

/** What stands on the inside of Node: the order of its writes, turns of the event loop, its pool of memory, its HTTP parser. */
const specs = [
  ...['test/e2e/fan-out.spec.ts', 'test/e2e/pipelining.spec.ts', 'test/e2e/shutdown-load.spec.ts'],
  ...['test/e2e/empty-bodies.spec.ts', 'test/e2e/health-checks.spec.ts'],
  ...['libs/qmp/src/message-channel.spec.ts', 'libs/qmp/src/handshake.spec.ts', 'libs/qmp/src/monitor.spec.ts'],
  ...['apps/gateway/src/operations/operation-store.spec.ts', 'apps/gateway/src/listeners/'],
];

/** Node as the registry has it, kept beside the packages. @returns undefined when there is no registry to be reached */
async function nodeOf(major: number): Promise<string | undefined> {
  const prefix = path.join(root, 'node_modules/.cache/other-nodes', String(major));
  mkdirSync(prefix, { recursive: true });
  const arguments_ = ['install', '--prefix', prefix, '--prefer-offline', '--no-audit', '--no-fund'];
  // The package of the platform itself: the one called `node` gets it by a script.
  const name = `node-${process.platform}-${process.arch}@${major}`;
  try {
    await execute('npm', [...arguments_, name], { timeout: fetchDeadlineMs });
  } catch (error) {
    process.stdout.write(`Node ${major} was not tried, because it cannot be had: ${String(error).slice(0, 500)}\n`);
    return undefined;
  }
  return path.join(prefix, `node_modules/node-${process.platform}-${process.arch}/bin/node`);
}

it.each([22, 24, 26])('runs on Node %i as on this one', async (major) => {
  const node = await nodeOf(major);
  if (node === undefined) return;
  const { stdout: version } = await execute(node, ['--version']);
  expect(version).toMatch(new RegExp(`^v${major}\\.`));
  // Gateways are started by the Node of the test.
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
  const projects = ['--project', 'unit', '--project', 'e2e'];
  const env = Object.fromEntries(Object.entries(process.env).filter(([variable]) => !variable.startsWith('VITEST')));
  const limits = { timeout: testsDeadlineMs, maxBuffer: 2 ** 26 };
  let failed = '';
  try {
    await execute(node, [vitest, 'run', '--root', root, ...projects, ...specs], { cwd: root, env, ...limits });
  } catch (error) {
    failed = String((error as { stdout?: string }).stdout).slice(-20_000);
  }
  expect(failed).toBe('');
});
