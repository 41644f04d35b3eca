import { once } from 'node:events';
import { linkSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { Scene } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { holdFile, linkFault, LinkedPathError } from './link-free-path.js';

const scene = new Scene();
let anchor: string;

beforeEach(() => (anchor = scene.directory()));
afterEach(() => scene.end());

const at = (...names: string[]): string => path.join(anchor, ...names);

/** A server that says who it is. */
async function socket(name: string): Promise<string> {
  mkdirSync(path.dirname(at(name)), { recursive: true });
  const server = scene.keep(
    createServer((client) => client.end(name)),
    (made) => made.close(),
  );
  server.listen(at(name));
  await once(server, 'listening');
  return at(name);
}

async function answerAt(where: string): Promise<string> {
  const client = connect(where).setEncoding('utf8');
  return ((await once(client, 'data')) as [string])[0];
}

describe('a path below an anchor', () => {
  it.each([
    ['the socket itself', 'red/db', () => symlinkSync('../blue/db', at('red/db'))],
    ['the directory', 'green/db', () => symlinkSync('blue', at('green'))],
    ['a directory further up', 'green/deep/db', () => symlinkSync('blue', at('green'))],
    ['a link to where it is already', 'red/self/db', () => symlinkSync('.', at('red/self'))],
  ])('is refused where %s is a link', async (_, name, link) => {
    await socket('blue/db');
    await socket('blue/deep/db');
    mkdirSync(at('red'));
    link();
    expect(() => holdFile(at(name), anchor)).toThrow(LinkedPathError);
    expect(linkFault(at(name), anchor)).toMatch(/ is a link$/);
  });

  it('is refused where a socket has a second name', async () => {
    await socket('blue/db');
    mkdirSync(at('red'));
    linkSync(at('blue/db'), at('red/db'));
    expect(linkFault(at('red/db'), anchor)).toBe(`${at('red/db')} is one of 2 names of a socket`);
  });

  it.each(['/elsewhere/db', '/blue/../red', '//blue', '/./blue', '/blue/'])('is no %s', (rest) => {
    mkdirSync(at('blue'));
    expect(() => holdFile(rest.startsWith('/elsewhere') ? rest : `${anchor}${rest}`, anchor)).toThrow(LinkedPathError);
  });

  it('may have links above it', async () => {
    await socket('real/db');
    symlinkSync('real', at('link'));
    const held = holdFile(at('link/db'), at('link'));
    expect(await answerAt(held.path)).toBe('real/db');
    held.release();
    expect(linkFault(at('link/db'), anchor)).toBe(`${at('link')} is a link`);
  });

  it('may have links anywhere without one', async () => {
    await socket('real/db');
    symlinkSync('real/db', at('link'));
    const held = holdFile(at('link'));
    expect(held.status.isSocket()).toBe(true);
    held.release();
  });

  it('leads to what was looked at, whatever takes its name meanwhile', async () => {
    await socket('blue/db');
    await socket('red/db');
    const held = holdFile(at('red/db'), anchor);
    renameSync(at('red'), at('was-red'));
    symlinkSync('blue', at('red'));
    expect(await answerAt(at('red/db'))).toBe('blue/db');
    expect(await answerAt(held.path)).toBe('red/db');
    held.release();
  });

  it('tells what is missing, and what is no directory, by the name it has', () => {
    writeFileSync(at('file'), '');
    expect(() => holdFile(at('none/db'), anchor)).toThrow(`open ENOENT ${at('none')}`);
    expect(() => holdFile(at('file/db'), anchor)).toThrow(`open ENOTDIR ${at('file/db')}`);
    expect(linkFault(at('none/db'), anchor)).toBeUndefined();
    rmSync(at('file'));
  });

  it('keeps no descriptor but the one it gives', async () => {
    await socket('a/b/c/db');
    symlinkSync('b', at('a/link'));
    const before = readdirSync('/proc/self/fd').length;
    for (const name of ['a/b/c/db', 'a/link/c/db', 'a/b/none', 'a/b/c/db/x']) linkFault(at(name), anchor);
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});
