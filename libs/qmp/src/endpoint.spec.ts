import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EndpointError, isExposed, parseEndpoint } from './endpoint.js';

describe('parseEndpoint', () => {
  it.each([
    ['unix:/run/a=b:c.qmp', { kind: 'unix', path: '/run/a=b:c.qmp' }],
    ['tcp:127.0.0.1:4444', { kind: 'tcp', host: '127.0.0.1', port: 4444 }],
    ['tls:vm.example.org:4444', { kind: 'tls', host: 'vm.example.org', port: 4444 }],
    ['tls:[fe80::1]:1', { kind: 'tls', host: 'fe80::1', port: 1 }],
    ['listen:unix:/run/x', { kind: 'listen-unix', path: '/run/x' }],
    ['listen:tls:[::]:65535', { kind: 'listen-tls', host: '::', port: 65535 }],
  ])('reads %s', (text, endpoint) => {
    expect(parseEndpoint(text)).toEqual(endpoint);
  });

  it.each([
    ['', /must be unix:/],
    ['/run/x', /must be unix:/],
    ['http:host:1', /must be unix:/],
    ['unix:run/x', /absolute/],
    ['unix:', /absolute/],
    ['unix:/a\0b', /NUL/],
    ['tcp:host', /host:port/],
    ['tcp:::1:80', /brackets/],
    ['tcp:[::1:80', /brackets/],
    ['tcp:[nope]:80', /no IPv6/],
    ['tcp:h:0', /1 to 65535/],
    ['tcp:h:65536', /1 to 65535/],
    ['tcp::80', /host name/],
    ['tcp:a b:80', /host name/],
    ['listen:tcp:0.0.0.0:80', /listen:tls/],
  ])('refuses %j', (text, message) => {
    expect(() => parseEndpoint(text)).toThrow(EndpointError);
    expect(() => parseEndpoint(text)).toThrow(message);
  });

  it('counts the bytes of a path, not its characters', () => {
    expect(parseEndpoint(`unix:/${'x'.repeat(106)}`)).toMatchObject({ kind: 'unix' });
    expect(() => parseEndpoint(`unix:/${'x'.repeat(107)}`)).toThrow(/107 bytes; this one has 108/);
    expect(() => parseEndpoint(`unix:/${'ü'.repeat(54)}`)).toThrow(/109/);
  });

  it('never throws anything else', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseEndpoint(text);
        } catch (error) {
          expect(error).toBeInstanceOf(EndpointError);
        }
      }),
    );
  });
});

describe('isExposed', () => {
  it.each([
    ['tcp:10.0.0.1:1', true],
    ['tcp:127.example.org:1', true],
    ['tcp:127.8.8.8:1', false],
    ['tcp:localhost:1', false],
    ['tcp:[::1]:1', false],
    ['tls:10.0.0.1:1', false],
    ['unix:/x', false],
  ])('of %s is %s', (text, exposed) => expect(isExposed(parseEndpoint(text))).toBe(exposed));
});
