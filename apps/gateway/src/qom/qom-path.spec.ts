import { describe, expect, it } from 'vitest';
import { ownerOf, partPath, qomPath } from './qom-path.js';

describe('a path of the object tree', () => {
  it.each([
    [[], '/'],
    [['machine'], '/machine'],
    [['machine', '', 'unattached', 'device[0]', ''], '/machine/unattached/device[0]'],
    [['machine', 'bus master container[0]'], '/machine/bus master container[0]'],
  ])('is what the segments %j mean', (segments, path) => expect(qomPath(segments)).toBe(path));

  it.each([[['machine/peripheral']], [['a\0b']], [['line\nend']], [['x'.repeat(5000)]]])('is not %j', (segments) =>
    expect(() => qomPath(segments)).toThrow('invalid-request'),
  );

  it('has an owner but for the root', () => {
    expect(ownerOf('/')).toBeUndefined();
    expect(ownerOf('/machine')).toEqual({ owner: '/', name: 'machine' });
    expect(ownerOf('/machine/net0/mac')).toEqual({ owner: '/machine/net0', name: 'mac' });
    expect([partPath('/', 'machine'), partPath('/machine', 'q35')]).toEqual(['/machine', '/machine/q35']);
  });
});
