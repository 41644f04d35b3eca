import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { Scene } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { withFileLock } from './file-lock.js';

const scene = new Scene();
afterEach(() => scene.end());

const lockFile = () => `${scene.directory()}/tokens.lock`;

describe('a file lock', () => {
  it('is held for the work, and given back however it ends', () => {
    const path = lockFile();
    expect(withFileLock(path, () => existsSync(path))).toBe(true);
    const failing = () => {
      throw new Error('ours');
    };
    expect(() => withFileLock(path, failing)).toThrow('ours');
    expect(existsSync(path)).toBe(false);
  });

  it('is taken over from a process that died', () => {
    const path = lockFile();
    const { pid } = spawnSync('true');
    for (const holder of [pid, process.pid]) {
      writeFileSync(path, `${holder}\n`);
      expect(withFileLock(path, () => readFileSync(path, 'utf8'))).toBe(`${process.pid}\n`);
    }
  });

  it('is taken over in the end from one that nobody knows, whatever the wall clock says', () => {
    const path = lockFile();
    writeFileSync(path, '');
    const longLater = Date.now() / 1000 + 600;
    utimesSync(path, longLater, longLater);
    expect(withFileLock(path, () => 'done')).toBe('done');
  });

  it('waits for who holds it', async () => {
    const path = lockFile();
    // Waiting blocks this process, so another one gives the lock back.
    const script = `const { rmSync, writeFileSync } = require('node:fs');
      const [path] = process.argv.slice(1);
      writeFileSync(path, process.pid + '\\n');
      process.stdout.write('held');
      setTimeout(() => {
        writeFileSync(path + '.seen', '');
        rmSync(path);
      }, 100);`;
    const holder = spawn(process.execPath, ['-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(holder.stdout, 'data');
    expect(withFileLock(path, () => existsSync(`${path}.seen`))).toBe(true);
    await once(holder, 'exit');
  });
});
