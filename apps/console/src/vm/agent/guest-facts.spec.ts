import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileSystems, hostName, interfaces, osFacts, timeZone, users } from './guest-facts.js';

describe('facts of a guest', () => {
  it('are what it says of its system', () => {
    const said = { 'pretty-name': 'Debian GNU/Linux 12', id: 'debian', 'kernel-release': '6.1', machine: 'x86_64' };
    expect(osFacts(said)).toEqual([
      ['System', 'Debian GNU/Linux 12'],
      ['Kernel', '6.1'],
      ['Machine', 'x86_64'],
    ]);
  });

  it('are how full its file systems are', () => {
    const root = { name: 'vda1', mountpoint: '/', type: 'ext4', 'used-bytes': 512, 'total-bytes': 2048n };
    const boot = { name: 'vda2', mountpoint: '/boot', type: 'vfat' };
    expect(
      fileSystems([boot, root]).map(({ mountpoint, usedPercent, size }) => [mountpoint, usedPercent, size]),
    ).toEqual([
      ['/', 25, '512 B of 2 KiB'],
      ['/boot', undefined, '–'],
    ]);
  });

  it('are its interfaces, users and zone', () => {
    const address = { 'ip-address': '10.0.0.2', 'ip-address-type': 'ipv4', prefix: 24 };
    expect(
      interfaces([{ name: 'eth0', 'ip-addresses': [address], statistics: { 'rx-bytes': 1024, 'tx-bytes': 0 } }]),
    ).toEqual([{ name: 'eth0', mac: '–', addresses: ['10.0.0.2/24'], received: '1 KiB', sent: '0 B' }]);
    expect(
      users([
        { user: 'ops', 'login-time': 1.5 },
        { user: 'a', domain: 'D' },
      ]),
    ).toEqual([
      { user: 'ops', sinceMs: 1500 },
      { user: 'D\\a', sinceMs: undefined },
    ]);
    expect([timeZone({ zone: 'CET', offset: 3600 }), timeZone({})]).toEqual(['CET, UTC+1', '–']);
    expect(hostName({ 'host-name': 'web-1' })).toBe('web-1');
  });

  it('bear whatever a guest answers', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true }), (value) => {
        for (const read of [osFacts, fileSystems, interfaces, users, timeZone, hostName])
          expect(() => read(value)).not.toThrow();
      }),
    );
  });
});
