import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const build = fileURLToPath(new URL('../build.mjs', import.meta.url));

it.each(['--arch', '--out'])(
  'a build of the addon with %s and no value is refused, not one for this platform',
  (word) => {
    const { status, stderr } = spawnSync(process.execPath, [build, '--if-needed', word], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([2, `unix-fds: ${word} needs a value\n`]);
  },
);
