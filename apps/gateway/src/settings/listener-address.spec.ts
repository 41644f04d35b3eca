import { describe, expect, it } from 'vitest';
import { isLocal, parseListenerAddress, type ListenerAddress } from './listener-address.js';

describe('the address of a listener', () => {
  it.each<[string, ListenerAddress]>([
    ['127.0.0.1:8080', { kind: 'tcp', host: '127.0.0.1', port: 8080 }],
    ['localhost:0', { kind: 'tcp', host: 'localhost', port: 0 }],
    ['[::1]:65535', { kind: 'tcp', host: '::1', port: 65535 }],
    ['unix:/run/gw.sock', { kind: 'unix', path: '/run/gw.sock' }],
    [`unix:/${'p'.repeat(106)}`, { kind: 'unix', path: `/${'p'.repeat(106)}` }],
  ])('%s', (text, address) => {
    expect(parseListenerAddress(text)).toEqual(address);
  });

  it.each(['', '8080', 'localhost', ':8080', '::1:8080', 'a b:1', 'host:65536', 'host:-1', 'unix:relative', 'unix:'])(
    'refuses %j and says why',
    (text) => {
      expect(parseListenerAddress(text)).toEqual(expect.any(String));
    },
  );

  it('counts the bytes of a path, which the kernel would cut', () => {
    expect(parseListenerAddress(`unix:/${'ü'.repeat(53)}`)).toMatchObject({ kind: 'unix' });
    expect(parseListenerAddress(`unix:/${'ü'.repeat(54)}`)).toMatch(/109 bytes/);
  });

  it.each([
    ['127.9.9.9:1', true],
    ['[::1]:1', true],
    ['[::ffff:127.0.0.1]:1', true],
    ['localhost:1', true],
    ['unix:/a', true],
    ['0.0.0.0:1', false],
    ['[::]:1', false],
    ['[::ffff:10.0.0.1]:1', false],
    ['localhost.evil.example:1', false],
    ['127.0.0.1.evil.example:1', false],
  ])('%s is local: %s', (text, local) => {
    expect(isLocal(parseListenerAddress(text) as ListenerAddress)).toBe(local);
  });
});
