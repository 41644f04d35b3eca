import { describe, expect, it } from 'vitest';
import { publicUrlType, withoutBase } from './public-url.js';

const type = publicUrlType();

describe('publicUrl', () => {
  it.each([
    ['https://gw.example.org', { origin: 'https://gw.example.org', host: 'gw.example.org', base: '' }],
    ['https://gw.example.org/', { origin: 'https://gw.example.org', host: 'gw.example.org', base: '' }],
    [
      'https://gw.example.org:8443/qemu',
      { origin: 'https://gw.example.org:8443', host: 'gw.example.org', base: '/qemu' },
    ],
    ['http://[::1]:80/a/b.c/', undefined],
    ['http://[::1]:8080/a/b.c/', { origin: 'http://[::1]:8080', host: '::1', base: '/a/b.c' }],
  ])('%s', (given, value) => {
    expect(type.read(given).value).toEqual(value);
  });

  it.each([
    ...['gw.example.org', 'ftp://gw.example.org', 'https://', 'https://GW.example.org', 'https://gw.example.org:443'],
    ...['https://gw.example.org/a?b', 'https://gw.example.org/a#b', 'https://me@gw.example.org', 'https://gw/%71emu'],
    ...[
      'https://gw/a//b',
      'https://gw/../a',
      'https://gw/./a',
      'https://gw/a/..',
      'https://gw/v1',
      'https://gw/docs/x',
    ],
  ])('%s is refused', (given) => {
    expect(type.read(given).faults).toHaveLength(1);
  });
});

it.each([
  ['/qemu/v1/vms?x=/qemu', '/v1/vms?x=/qemu'],
  ['/qemu/', '/'],
  ['/qemu', '/'],
  ['/qemu?a', '/?a'],
  ['/qemu//v1', '//v1'],
  ['/qemux', '/qemux'],
  ['/v1/qemu/', '/v1/qemu/'],
  ['*', '*'],
])('%s is %s behind /qemu', (url, without) => {
  expect(withoutBase(url, '/qemu')).toBe(without);
});
