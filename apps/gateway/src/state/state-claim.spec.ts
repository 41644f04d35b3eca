import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SettingsError } from '../settings/load-settings.js';
import { StateClaim } from './state-claim.js';
import { StateDirectory } from './state-directory.js';

let path: string;
const faults: string[] = [];
const claim = () => StateClaim.make(new StateDirectory(path), (fault) => faults.push(fault));

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'qmpgw-claim-'));
  faults.length = 0;
});
afterEach(() => rmSync(path, { recursive: true }));

describe('a state directory', () => {
  it('is of one gateway until that one ends', async () => {
    const first = await claim();
    await expect(claim()).rejects.toThrow(/is the state directory of another gateway that runs: end that one first/);
    await expect(claim()).rejects.toThrow(SettingsError);
    await first.onApplicationShutdown();
    expect(existsSync(join(path, 'gateway.sock'))).toBe(false);
    await (await claim()).onApplicationShutdown();
    expect(faults).toEqual([]);
  });

  it('is free when its gateway was killed', async () => {
    const listen = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
    expect(spawnSync(process.execPath, ['-e', listen, join(path, 'gateway.sock')]).signal).toBe('SIGKILL');
    expect(existsSync(join(path, 'gateway.sock'))).toBe(true);
    await (await claim()).onApplicationShutdown();
  });

  it('may have a path that is too long for a socket', async () => {
    const root = path;
    path = join(root, 'x'.repeat(120));
    mkdirSync(path);
    const first = await claim();
    await expect(claim()).rejects.toThrow(SettingsError);
    await first.onApplicationShutdown();
    expect(existsSync(join(path, 'gateway.sock'))).toBe(false);
    expect(faults).toEqual([]);
    path = root;
  });

  it('serves without a claim where there can be no socket, and says why', async () => {
    writeFileSync(join(path, 'gateway.sock'), 'mine');
    await (await claim()).onApplicationShutdown();
    expect(faults).toEqual([expect.stringContaining('gateway.sock is there already, and no socket')]);
    expect(existsSync(join(path, 'gateway.sock'))).toBe(true);
  });
});
