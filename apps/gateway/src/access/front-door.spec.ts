import fc from 'fast-check';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { Problem } from '../problems/problem.js';
import { checkFrontDoor, type Doorway } from './front-door.js';

const rules = {
  allowedHosts: ['gw.example.org'],
  allowedOrigins: ['https://dash.example.org', 'http://dev.local:3000'],
  publicUrl: { origin: 'https://public.example.org', host: 'public.example.org' },
};
const plain: Doorway = { kind: 'tcp', port: 8080, secure: false };
const secure: Doorway = { kind: 'tcp', port: 443, secure: true, names: ['cert.example.org', '*.wild.example.org'] };

/** The code of the problem, or the origin the answer allows ('' for none). */
function verdict(
  headers: readonly (readonly [string, string])[],
  door = plain,
  url = '/v1/vms',
  method = 'GET',
): string {
  const joined: Record<string, string> = {};
  for (const [name, value] of headers) joined[name.toLowerCase()] ??= value;
  const request = { headers: joined, rawHeaders: headers.flat(), url, method } as unknown as IncomingMessage;
  const result = checkFrontDoor(request, door, rules);
  return result instanceof Problem ? result.code : (result['Access-Control-Allow-Origin'] ?? '');
}
const host = (value: string, door = plain) => verdict([['Host', value]], door);
const origin = (value: string, door = plain, own = 'localhost:8080') =>
  verdict(
    [
      ['Host', own],
      ['Origin', value],
    ],
    door,
  );

describe('Host', () => {
  it.each([
    ...['localhost:8080', 'LocalHost:8080', 'localhost.:8080', '127.0.0.1:8080', '[::1]:8080', '10.1.2.3:8080'],
    ...['gw.example.org', 'gw.example.org:9999', 'GW.Example.Org.:1'],
    ...['public.example.org', 'public.example.org:8080', 'Public.Example.org'],
    // Published on another port, or reached by a tunnel.
    ...['localhost', 'localhost:80', 'localhost:18080', '127.0.0.1', '127.0.0.1:9', '[::1]', '[::1]:18080', '10.1.2.3'],
  ])('%s is this gateway', (name) => {
    expect(host(name)).toBe('');
  });

  it.each([
    ...['evil.example:8080', '[::1:8080', '::1:8080'],
    ...[
      'localhost.evil.example:8080',
      'evil-localhost:8080',
      'localhostx:8080',
      'x.gw.example.org',
      'gw.example.org.evil',
    ],
    ...['evil@localhost:8080', 'localhost:8080@evil', 'localhost:8080:8080', 'localhost:', 'localhost:8080 ', ' ', ''],
    ...[
      '2130706433:8080',
      '0x7f.1:8080',
      '127.1:8080',
      'localhost..:8080',
      '[fe80::1%25eth0]:8080',
      'localhost:08080x',
    ],
    ...['localhost/:8080', 'localhost#:8080', 'null', '*:8080', 'localhost,evil.example:8080'],
  ])('%j is not', (name) => {
    expect(host(name)).toBe('host-refused');
  });

  it('may come once only', () => {
    expect(
      verdict([
        ['Host', 'localhost:8080'],
        ['hOsT', 'localhost:8080'],
      ]),
    ).toBe('host-refused');
    expect(
      verdict([
        ['Host', 'localhost:8080'],
        ['HOST', 'evil.example'],
      ]),
    ).toBe('host-refused');
    expect(verdict([])).toBe('host-refused');
  });

  it('may be a name of the certificate, with the port of the listener', () => {
    expect(host('cert.example.org', secure)).toBe('');
    expect(host('cert.example.org:443', secure)).toBe('');
    expect(host('a.wild.example.org', secure)).toBe('');
    for (const name of [
      'a.b.wild.example.org',
      'wild.example.org',
      '.wild.example.org',
      'cert.example.org:8443',
      'x.cert.example.org',
    ])
      expect(host(name, secure), name).toBe('host-refused');
    expect(host('cert.example.org:8080')).toBe('host-refused');
  });

  it.each(['http://evil.example/v1/vms', 'http://localhost:8080/v1/vms', 'v1/vms', ''])(
    'is not in the target %j',
    (url) => {
      expect(verdict([['Host', 'localhost:8080']], plain, url)).toBe('host-refused');
    },
  );

  it('is of no matter to whoever asks whether the gateway lives', () => {
    for (const url of ['/livez', '/readyz', '/livez?from=lb'])
      for (const method of ['GET', 'HEAD'])
        for (const headers of [[], [['Host', 'evil.example']], [['Host', '10.0.0.1']], [['Host', '']]] as const)
          expect([url, method, verdict(headers, plain, url, method)]).toEqual([url, method, '']);
    const two = [
      ['Host', 'localhost:8080'],
      ['Host', 'localhost:8080'],
    ] as const;
    expect(verdict(two, plain, '/livez')).toBe('host-refused');
    expect(verdict([['Host', 'lb']], plain, '/livez', 'POST')).toBe('host-refused');
    for (const url of ['/livez/', '/livezz', '/v1/livez', '/LIVEZ', '/livez%00', '/v1', 'http://lb/livez'])
      expect([url, verdict([['Host', 'lb']], plain, url)]).toEqual([url, 'host-refused']);
  });

  it('is of no matter on a unix socket', () => {
    const unix: Doorway = { kind: 'unix', secure: false };
    expect(host('anything at all', unix)).toBe('');
    expect(verdict([], unix)).toBe('');
  });

  it('takes no name that is not one of ours, whatever surrounds it', () => {
    const part = fc.constantFrom(
      'localhost',
      '127.0.0.1',
      'gw.example.org',
      '.',
      ':',
      '8080',
      '@',
      '[',
      ']',
      'evil',
      '%',
      '/',
      '-',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const name = parts.join('');
        fc.pre(name.includes('evil'));
        expect(host(name)).toBe('host-refused');
      }),
    );
  });
});

describe('Origin', () => {
  it('is no matter when there is none, or the own one', () => {
    expect(host('localhost:8080')).toBe('');
    expect(origin('http://localhost:8080')).toBe('');
    expect(origin('https://cert.example.org', secure, 'cert.example.org')).toBe('');
    expect(origin('https://cert.example.org', secure, 'cert.example.org:443')).toBe('');
  });

  it('is the own one too behind a proxy that speaks TLS', () => {
    expect(origin('https://public.example.org', plain, 'public.example.org')).toBe('');
    expect(origin('http://public.example.org', plain, 'public.example.org')).toBe('');
    for (const other of ['https://public.example.org:8443', 'https://x.public.example.org', 'https://evil.example'])
      expect(origin(other, plain, 'public.example.org')).toBe('origin-refused');
  });

  it('that is allowed is named in the answer, to the letter', () => {
    expect(origin('https://dash.example.org')).toBe('https://dash.example.org');
    expect(origin('http://dev.local:3000')).toBe('http://dev.local:3000');
  });

  it.each([
    ...['https://evil.example', 'null', '', '*', 'file://', 'chrome-extension://abcdef'],
    ...['https://dash.example.org.evil.example', 'https://evil-dash.example.org', 'https://dash.example.orgevil'],
    ...[
      'https://dash.example.org.',
      'https://dash.example.org:443',
      'https://dash.example.org:8443',
      'http://dash.example.org',
    ],
    ...[
      'https://dash.example.org/',
      'https://dash.example.org/x',
      'https://x@dash.example.org',
      'HTTPS://dash.example.org',
    ],
    ...[
      'https://dash.example.org, https://evil.example',
      'http://dev.local',
      'http://dev.local:30000',
      'https://dashXexample.org',
    ],
    ...[
      'http://localhost',
      'http://localhost:8081',
      'https://localhost:8080',
      'http://localhost.:8080',
      'http://127.0.0.1:8080',
    ],
    ...['http://localhost:8080.evil.example', 'http://[localhost]:8080'],
  ])('%j is refused', (value) => {
    expect(origin(value)).toBe('origin-refused');
  });
});

describe('Fetch Metadata', () => {
  const site = (value: string, more: [string, string][] = [], url = '/v1/vms', method = 'GET') =>
    verdict([['Host', 'localhost:8080'], ['Sec-Fetch-Site', value], ...more], plain, url, method);
  const navigation: [string, string][] = [
    ['Sec-Fetch-Mode', 'navigate'],
    ['Sec-Fetch-Dest', 'document'],
  ];

  it.each(['same-origin', 'none'])('%s is let in', (value) => expect(site(value)).toBe(''));

  it.each(['cross-site', 'same-site'])('%s is refused unless the origin is allowed', (value) => {
    expect(site(value)).toBe('origin-refused');
    expect(site(value, [['Origin', 'https://evil.example']])).toBe('origin-refused');
    expect(site(value, [['Origin', 'http://localhost:8080']])).toBe('origin-refused');
    expect(site(value, [['Origin', 'https://dash.example.org']])).toBe('https://dash.example.org');
  });

  it('lets a link lead to the docs page, and to nothing else', () => {
    expect(site('cross-site', navigation, '/docs')).toBe('');
    expect(site('cross-site', navigation, '/docs/')).toBe('origin-refused');
    expect(site('cross-site', navigation, '/v1/vms')).toBe('origin-refused');
    expect(site('cross-site', navigation, '/docs', 'POST')).toBe('origin-refused');
    expect(site('cross-site', [['Origin', rules.publicUrl.origin]])).toBe('origin-refused');
    expect(
      site(
        'cross-site',
        [
          ['Sec-Fetch-Mode', 'navigate'],
          ['Sec-Fetch-Dest', 'iframe'],
        ],
        '/docs',
      ),
    ).toBe('origin-refused');
  });
});
