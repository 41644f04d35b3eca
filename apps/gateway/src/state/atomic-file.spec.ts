import { mkdtempSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stagedDisk } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeFileAtomically } from './atomic-file.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'qmpgw-'));
  stagedDisk.takeAtOnce(2);
});
afterEach(() => {
  stagedDisk.takeAll();
  rmSync(directory, { recursive: true });
});

describe('a file that is replaced whole', () => {
  it('holds the new text, is its owner’s alone and leaves nothing beside it', () => {
    const path = join(directory, 'state.json');
    writeFileAtomically(path, 'old');
    const before = statSync(path).ino;
    writeFileAtomically(path, 'new');
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(statSync(path).ino).not.toBe(before);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['state.json']);
  });

  it('stays as it was when it cannot be replaced', () => {
    const path = join(directory, 'taken');
    mkdirSync(path);
    writeFileSync(join(path, 'inside'), '');
    expect(() => writeFileAtomically(path, 'new')).toThrow();
    expect(readdirSync(directory)).toEqual(['taken']);
    expect(() => writeFileAtomically(join(directory, 'none', 'file'), 'new')).toThrow(/ENOENT/);
  });

  it('has the mode that was asked for', () => {
    const path = join(directory, 'open');
    writeFileAtomically(path, '', 0o640);
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });
});
