import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Scene } from '@qmp-gateway/test-kit';
import { afterEach, expect, it } from 'vitest';

const addon = fileURLToPath(new URL('../../libs/unix-fds', import.meta.url));
const stress = path.join(addon, 'native/stress.mjs');
const deadlineMs = 800_000;
const scene = new Scene();
afterEach(() => scene.end());

/** An addon that was built for a tool. */
function built(kind: '--sanitize' | '--symbols'): string {
  const binary = path.join(scene.directory(), 'unix_fds.node');
  execFileSync(process.execPath, [path.join(addon, 'build.mjs'), kind, '--out', binary], { stdio: 'pipe' });
  return binary;
}

it('every way through the addon is clean under AddressSanitizer, and leaves no descriptor open', () => {
  const binary = built('--sanitize');
  const library = execFileSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim();
  const { status, stdout, stderr } = spawnSync(process.execPath, [stress, binary, '200'], {
    // What V8 keeps until the end of the process is no leak of ours; descriptors are counted by the program itself.
    env: { ...process.env, LD_PRELOAD: library, ASAN_OPTIONS: 'detect_leaks=0' },
    encoding: 'utf8',
    timeout: deadlineMs,
  });
  expect([status, stdout, stderr.includes('AddressSanitizer')]).toEqual([
    ...[0, '0 left open, worker ended with 0\n', false],
  ]);
});

it('every way through the addon is clean under valgrind, and loses no memory', () => {
  const binary = built('--symbols');
  const log = path.join(scene.directory(), 'memcheck.log');
  const { status, stdout } = spawnSync(
    'valgrind',
    [
      ...['--error-exitcode=99', '--leak-check=full', '--show-leak-kinds=definite,indirect,possible'],
      ...['--errors-for-leak-kinds=none', '--num-callers=30', `--log-file=${log}`],
      // Valgrind does not follow code that V8 makes as it runs, in threads of its own least of all.
      ...[process.execPath, '--jitless', '--single-threaded', stress, binary, '10'],
    ],
    { encoding: 'utf8', timeout: deadlineMs },
  );
  const report = readFileSync(log, 'utf8');
  expect([status, stdout]).toEqual([0, '0 left open, worker ended with 0\n']);
  expect(report).toContain('ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)');
  // Node.js allocates for itself in what we call, and frees it when it collects garbage, or at its end not at all.
  const lost = [...report.matchAll(/ lost in loss record .*\n.*(?: at 0x).*\n(.*)/g)].map(([, caller]) => caller);
  expect(lost.filter((caller) => caller?.includes('unix_fds.c') === true)).toEqual([]);
});
