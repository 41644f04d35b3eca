import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HostFiles } from './host-files.js';

let directory: string;
let before: number;
const opened = () => readdirSync('/proc/self/fd').length;
const at = (...names: string[]) => path.join(directory, ...names);

beforeAll(() => {
  const build = fileURLToPath(new URL('../../../../libs/unix-fds/build.mjs', import.meta.url));
  execFileSync(process.execPath, [build, '--if-needed'], { stdio: 'pipe' });
  directory = mkdtempSync(path.join(tmpdir(), 'host-files-'));
  writeFileSync(at('image'), 'content');
  mkdirSync(at('inside'));
  writeFileSync(at('inside', 'image'), 'other');
  symlinkSync(at('image'), at('link'));
  symlinkSync(at('inside'), at('linked'));
  linkSync(at('image'), at('second-name'));
  execFileSync('mkfifo', [at('pipe')]);
});
beforeEach(() => (before = opened()));
afterEach(() => expect(opened()).toBe(before));
afterAll(() => rmSync(directory, { recursive: true }));

const open = (file: string, hostPaths = [`${directory}/*`], access: ('read' | 'write')[] = ['read']) =>
  new HostFiles({ hostPaths }).open(file, access);

describe('files of the host', () => {
  it.each([[['read']], [['read', 'write']], [['write']]] as const)('are opened for %j', async (access) => {
    const file = await open(at('image'), [at('image')], [...access]);
    expect(file.path).toBe(at('image'));
    const flags = /flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${file.descriptor.number}`, 'utf8'))?.[1] ?? '';
    const wanted = { read: 0, write: 1, 'read,write': 2 }[access.join()];
    // The mode, and neither without waiting (O_NONBLOCK) nor for programs that this process starts (O_CLOEXEC).
    expect([parseInt(flags, 8) & 3, parseInt(flags, 8) & 0o4000, parseInt(flags, 8) & 0o2000000]).toEqual([
      ...[wanted, 0, 0o2000000],
    ]);
    file.descriptor.close();
  });

  it('include character devices', async () => {
    const { descriptor } = await open('/dev/null', ['/dev/null'], ['read', 'write']);
    descriptor.close();
  });

  it.each([
    ['no list', () => open(at('image'), []), 'forbidden', 'it is empty'],
    ['another path', () => open('/etc/passwd'), 'forbidden', 'no such path'],
    ['dots', () => open(`${directory}/inside/../image`), 'forbidden', 'not written plainly'],
    ['a slash too many', () => open(`${directory}//image`), 'forbidden', 'not written plainly'],
    ['a link', () => open(at('link')), 'forbidden', 'is a link'],
    ['a linked directory', () => open(at('linked', 'image')), 'forbidden', 'is a link'],
    ['a directory', () => open(at('inside')), 'host-path-unusable', 'a directory'],
    ['a pipe, which nobody may wait at', () => open(at('pipe')), 'host-path-unusable', 'a pipe'],
    ['nothing', () => open(at('gone')), 'host-path-unusable', 'no such file'],
    ['a file as a directory', () => open(at('image', 'x')), 'host-path-unusable', 'not a directory'],
  ] as const)('are refused: %s', async (_, attempt, code, detail) => {
    await expect(attempt()).rejects.toMatchObject({ code, detail: expect.stringContaining(detail) });
  });
});
