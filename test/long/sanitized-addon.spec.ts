import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Scene } from '@qmp-gateway/test-kit';
import { afterEach, expect, it } from 'vitest';

const addon = fileURLToPath(new URL('../../libs/unix-fds', import.meta.url));
const deadlineMs = 300_000;
const scene = new Scene();
afterEach(() => scene.end());

it('every way through the addon is clean under AddressSanitizer, and leaves no descriptor open', () => {
  const binary = path.join(scene.directory(), 'unix_fds.node');
  execFileSync(process.execPath, [path.join(addon, 'build.mjs'), '--sanitize', '--out', binary], { stdio: 'pipe' });
  const library = execFileSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(addon, 'native/stress.mjs'), binary, '200'],
    {
      // What V8 keeps until the end of the process is no leak of ours; descriptors are counted by the program itself.
      env: { ...process.env, LD_PRELOAD: library, ASAN_OPTIONS: 'detect_leaks=0' },
      encoding: 'utf8',
      timeout: deadlineMs,
    },
  );
  expect([status, stdout, stderr.includes('AddressSanitizer')]).toEqual([
    ...[0, '0 left open, worker ended with 0\n', false],
  ]);
});
