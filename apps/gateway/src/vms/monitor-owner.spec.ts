import { lchownSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Scene } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { monitorOwner } from './monitor-owner.js';

const scene = new Scene();
let directory: string;
beforeEach(() => (directory = scene.directory()));
afterEach(() => scene.end());

const at = (name: string): string => join(directory, name);

describe('the owner of a monitor', () => {
  it('is that of the file, also behind a link of the gateway’s user', () => {
    writeFileSync(at('qmp'), '');
    symlinkSync('qmp', at('link'));
    symlinkSync(at('link'), at('far'));
    for (const name of ['qmp', 'link', 'far']) expect(monitorOwner(at(name))).toBe(process.getuid?.());
  });

  it('is not told of what is gone, or links to itself', () => {
    symlinkSync('loop', at('loop'));
    expect([monitorOwner(at('gone')), monitorOwner(at('loop'))]).toEqual([undefined, undefined]);
  });

  it.runIf(process.getuid?.() === 0)('is not told behind a link of another user', () => {
    writeFileSync(at('qmp'), '');
    symlinkSync('qmp', at('link'));
    lchownSync(at('link'), 1234, 1234);
    expect(monitorOwner(at('link'))).toBeUndefined();
  });
});
