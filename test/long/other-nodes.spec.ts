import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** With fetching the release, which happens once. */
const deadlineMs = 600_000;
/** What `test-node.js` ends with when a release cannot be had. */
const notHad = 3;

/** What stands on the inside of Node: the order of its writes, turns of the event loop, its pool of memory, its HTTP parser. */
const specs = [
  ...['test/e2e/fan-out.spec.ts', 'test/e2e/pipelining.spec.ts', 'test/e2e/shutdown-load.spec.ts'],
  ...['test/e2e/empty-bodies.spec.ts', 'test/e2e/health-checks.spec.ts'],
  ...['libs/qmp/src/message-channel.spec.ts', 'libs/qmp/src/handshake.spec.ts', 'libs/qmp/src/monitor.spec.ts'],
  ...['libs/qmp/src/own-bytes.spec.ts', 'apps/gateway/src/operations/operation-store.spec.ts'],
  ...['apps/gateway/src/entrance/', 'apps/gateway/src/http/'],
  ...['libs/unix-fds/', 'test/e2e/file-descriptors/'],
];

it.each([22, 24, 26])('runs on Node %i as on this one', (major) => {
  const env = Object.fromEntries(Object.entries(process.env).filter(([variable]) => !variable.startsWith('VITEST')));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/test-node.js', String(major), ...specs], {
    cwd: root,
    env,
    encoding: 'utf8',
    timeout: deadlineMs,
    maxBuffer: 2 ** 26,
  });
  if (status === notHad) {
    process.stdout.write(stderr);
    return;
  }
  expect(status === 0 ? '' : stdout.slice(-20_000) + stderr.slice(-2000)).toBe('');
  expect(stdout).toMatch(new RegExp(`^v${major}\\.\\S+ +passed .*passed .*passed`, 'm'));
});
