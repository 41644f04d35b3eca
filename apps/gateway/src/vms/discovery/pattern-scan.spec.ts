import { chmodSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { Scene } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiscoveryPattern } from '../../settings/discovery-pattern.js';
import { PatternScan } from './pattern-scan.js';

const scene = new Scene();
const none: ReadonlySet<string> = new Set();
let directory: string;
let troubles: string[];

beforeEach(() => {
  directory = scene.directory();
  troubles = [];
});
afterEach(() => scene.end());

async function socket(name: string): Promise<string> {
  const file = path.join(directory, name);
  mkdirSync(path.dirname(file), { recursive: true });
  const server = scene.keep(createServer(), (open) => open.close());
  server.listen(file);
  await once(server, 'listening');
  return file;
}

const scanOf = (pattern: string, bounds?: { directories: number; sockets: number }) =>
  new PatternScan(
    new DiscoveryPattern(`${directory}/${pattern}`),
    { warn: (message) => troubles.push(message) },
    bounds && { bounds },
  );
const paths = async (scan: PatternScan, changed: ReadonlySet<string> | 'all' = none) =>
  [...(await scan.look(changed)).keys()].map((found) => path.relative(directory, found));

describe('a look', () => {
  it('finds sockets, not what else matches', async () => {
    await socket('a.qmp');
    await socket('a.qga');
    writeFileSync(path.join(directory, 'b.qmp'), '');
    mkdirSync(path.join(directory, 'c.qmp'));
    expect(await paths(scanOf('{id}.qmp'))).toEqual(['a.qmp']);
  });

  it('finds them in directories that match, and says what these stand for', async () => {
    await socket('red/a/qmp');
    await socket('blue/b/qmp');
    await socket('blue/b/c/qmp');
    const found = await scanOf('{tenant}/{id}/qmp').look(none);
    expect([...found.values()].map(({ values }) => values)).toEqual([
      { tenant: 'blue', id: 'b' },
      { tenant: 'red', id: 'a' },
    ]);
  });

  it('takes directories that come, go and come again', async () => {
    const scan = scanOf('later/{tenant}/{id}.qmp');
    expect(await paths(scan)).toEqual([]);
    await socket('later/x/a.qmp');
    expect(await paths(scan)).toEqual(['later/x/a.qmp']);
    rmSync(path.join(directory, 'later'), { recursive: true });
    expect(await paths(scan)).toEqual([]);
    await socket('later/x/b.qmp');
    expect(await paths(scan)).toEqual(['later/x/b.qmp']);
    expect(troubles).toEqual([]);
  });

  it('sees another socket of the same name', async () => {
    const scan = scanOf('{id}.qmp');
    const file = await socket('a.qmp');
    const before = (await scan.look(none)).get(file);
    const other = await socket('other');
    renameSync(other, file);
    const after = (await scan.look(none)).get(file);
    expect(after?.inode).not.toBe(before?.inode);
  });

  it('reads a directory again when it has changed, when that cannot be told yet, or when asked to', async () => {
    const scan = scanOf('{id}.qmp');
    await socket('a.qmp');
    const settled = new Date(Date.now() - 60_000);
    utimesSync(directory, settled, settled);
    expect(await paths(scan)).toEqual(['a.qmp']);
    // As if it had changed within the same tick of the kernel's clock.
    const file = await socket('b.qmp');
    utimesSync(directory, settled, settled);
    expect(await paths(scan)).toEqual(['a.qmp']);
    expect(await paths(scan, new Set([directory]))).toEqual(['a.qmp', 'b.qmp']);
    rmSync(file);
    utimesSync(directory, settled, settled);
    expect(await paths(scan, 'all')).toEqual(['a.qmp']);
    await socket('c.qmp');
    expect(await paths(scan)).toEqual(['a.qmp', 'c.qmp']);
    await socket('d.qmp');
    expect(await paths(scan)).toEqual(['a.qmp', 'c.qmp', 'd.qmp']);
  });

  it('has bounds', async () => {
    for (const name of ['x/a', 'x/b', 'y/c', 'z/d']) await socket(name);
    expect(await paths(scanOf('{tenant}/{id}', { directories: 3, sockets: 9 }))).toEqual(['x/a', 'x/b', 'y/c']);
    expect(troubles.splice(0)).toEqual([expect.stringMatching(/more than 3 directories/)]);
    expect(await paths(scanOf('{tenant}/{id}', { directories: 9, sockets: 1 }))).toEqual(['x/a']);
    expect(troubles).toContainEqual(expect.stringMatching(/more than 1 sockets/));
  });

  it('tells of a directory it may not read', async () => {
    if (process.getuid?.() === 0) {
      // Root reads everything; a loop of links is what even root cannot follow.
      const { symlinkSync } = await import('node:fs');
      symlinkSync('locked', path.join(directory, 'locked'));
    } else {
      mkdirSync(path.join(directory, 'locked'));
      chmodSync(path.join(directory, 'locked'), 0o000);
    }
    expect(await paths(scanOf('locked/{id}'))).toEqual([]);
    expect(troubles).toEqual([expect.stringMatching(/locked cannot be read \(E(?:ACCES|LOOP)\)/)]);
  });
});
