import { describe, expect, it } from 'vitest';
import { ownerOf, partPath, propertyAt, qomPath } from './qom-path.js';

describe('a path of the object tree', () => {
  it.each([
    [[], '/'],
    [['machine'], '/machine'],
    [['machine', '', 'unattached', 'device[0]', ''], '/machine/unattached/device[0]'],
    [['machine', 'bus master container[0]'], '/machine/bus master container[0]'],
  ])('is what the segments %j mean', (segments, path) => expect(qomPath(segments)).toBe(path));

  it.each([[['machine/peripheral']], [['a\0b']], [['line\nend']], [['x'.repeat(5000)]]])('is not %j', (segments) =>
    expect(() => qomPath(segments)).toThrow(
      expect.objectContaining({
        ...{ code: 'invalid-request', fields: { errors: [expect.objectContaining({ in: 'path', pointer: '/path' })] } },
      }),
    ),
  );

  it('names a property, but for the root', () => {
    expect(propertyAt('/machine/type')).toEqual({ owner: '/machine', name: 'type' });
    expect(() => propertyAt('/')).toThrow('/path must name a property');
  });

  it('has an owner but for the root', () => {
    expect(ownerOf('/')).toBeUndefined();
    expect(ownerOf('/machine')).toEqual({ owner: '/', name: 'machine' });
    expect(ownerOf('/machine/net0/mac')).toEqual({ owner: '/machine/net0', name: 'mac' });
    expect([partPath('/', 'machine'), partPath('/machine', 'q35')]).toEqual(['/machine', '/machine/q35']);
  });
});
