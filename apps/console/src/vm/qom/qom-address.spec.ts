import { expect, it } from 'vitest';
import { childPath, pathSteps, qomAddress } from './qom-address.js';

it('paths become addresses and steps', () => {
  expect(qomAddress('web 1', '/machine/unattached/device[0]')).toBe(
    '/vms/web%201/qom/machine/unattached/device%5B0%5D',
  );
  expect(qomAddress('a', '/')).toBe('/vms/a/qom/');
  expect(pathSteps('/machine/peripheral')).toEqual([
    { name: 'root', path: '/' },
    { name: 'machine', path: '/machine' },
    { name: 'peripheral', path: '/machine/peripheral' },
  ]);
  expect([childPath('/', 'a'), childPath('/a', 'b')]).toEqual(['/a', '/a/b']);
});
