import { chmodSync, chownSync, lchownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Scene } from '@qmp-gateway/test-kit';
import { directoryFault, nameFault, passageFault } from '@qmp-gateway/qmp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const scene = new Scene();
const isRoot = process.getuid?.() === 0;
let directory: string;

beforeEach(() => {
  directory = path.join(scene.directory(), 'ours');
  mkdirSync(directory, { mode: 0o700 });
});
afterEach(() => scene.end());

const withMode = (mode: number | string): string => {
  chmodSync(directory, mode);
  return directory;
};

describe('a directory for files of ours', () => {
  it.each(['0700', '0750', '0755', '0711', '2750', '0770'])('may have mode %s', (mode) => {
    expect(directoryFault(withMode(mode))).toBeUndefined();
  });

  it.each(['0777', '1777', '0702'])('is refused with mode %s: everybody may write there', (mode) => {
    const fault = directoryFault(withMode(mode));
    expect(fault).toContain(`${directory} (mode ${mode}, owner ${process.getuid?.()}`);
    expect(fault).toContain('everybody may write there');
    expect(directoryFault(directory, 'any')).toBe(fault);
  });

  it('is refused when it is none, and taken when there is none yet', () => {
    writeFileSync(path.join(directory, 'file'), '');
    expect(directoryFault(path.join(directory, 'file'))).toContain('is not a directory');
    expect(directoryFault(path.join(directory, 'later', 'still'))).toBeUndefined();
    symlinkSync('nowhere', path.join(directory, 'link'));
    expect(directoryFault(path.join(directory, 'link'))).toContain('a link to nothing');
    symlinkSync('loop', path.join(directory, 'loop'));
    expect(directoryFault(path.join(directory, 'loop'))).toContain('cannot be looked at (ELOOP)');
  });

  it('may be a link of ours', () => {
    symlinkSync(directory, `${directory}-link`);
    expect(directoryFault(`${directory}-link`)).toBeUndefined();
  });

  it('is refused where everybody may put another in its place, which the sticky bit keeps them from', () => {
    chmodSync(path.dirname(directory), 0o777);
    for (const fault of [
      directoryFault(directory),
      directoryFault(path.join(directory, 'later')),
      nameFault(directory),
    ])
      expect(fault).toContain(`${path.dirname(directory)} (mode 0777`);
    chmodSync(path.dirname(directory), 0o1777);
    expect(directoryFault(directory)).toBeUndefined();
    expect(nameFault(directory)).toBeUndefined();
  });

  it('may be out of the reach of a group', () => {
    const { gid } = statSync(directory);
    const stranger = gid + 1;
    chmodSync(path.dirname(directory), 0o701);
    expect(passageFault(withMode(0o710), gid)).toContain(`${path.dirname(directory)} (mode 0701`);
    chmodSync(path.dirname(directory), 0o751);
    expect(passageFault(withMode(0o710), stranger)).toBe(
      `${directory} (mode 0710, group ${gid}): group ${stranger} may not enter it`,
    );
    expect(passageFault(withMode(0o711), stranger)).toBeUndefined();
    expect(passageFault(path.join(directory, 'later'), stranger)).toBeUndefined();
  });

  // Only root can give files away.
  it.runIf(isRoot)('is refused when it belongs to somebody else, or to a group of others that may write', () => {
    chownSync(directory, 65_534, 0);
    expect(directoryFault(directory)).toContain('owner 65534, group 0): it belongs to another user');
    expect(directoryFault(directory, 'any')).toBeUndefined();
    chownSync(directory, 0, 65_534);
    expect(directoryFault(withMode(0o750))).toBeUndefined();
    expect(directoryFault(withMode(0o770))).toContain('a group may write there');
    symlinkSync(directory, `${directory}-link`);
    chmodSync(directory, 0o700);
    lchownSync(`${directory}-link`, 65_534, 0);
    expect(directoryFault(`${directory}-link`)).toContain('a link made by somebody else');
  });
});
