import { describe, expect, it } from 'vitest';
import { endpointAnchor } from './endpoint-anchor.js';

describe('of the path of an endpoint, the operator wrote', () => {
  it.each([
    ['what is before the star', ['unix:/run/qemu/*'], 'unix:/run/qemu/a/b', '/run/qemu'],
    ['whole directories only', ['unix:/run/q*'], 'unix:/run/qemu/a', '/run'],
    ['nothing', ['unix:*'], 'unix:/run/a', '/'],
    ['nothing where the star is in the scheme', ['*/run/qemu/a', 'un*'], 'unix:/run/qemu/a', '/'],
    ['the first of several stars counts', ['unix:/run/*/x/*'], 'unix:/run/a/x/b', '/run'],
    [
      'of several globs the longest',
      ['unix:*', 'unix:/run/qemu/*', 'unix:/other/deeper/still/*'],
      'unix:/run/qemu/a',
      '/run/qemu',
    ],
    ['of one that listens too', ['listen:unix:/run/in/*'], 'listen:unix:/run/in/a', '/run/in'],
    ['nothing of what no glob of his matches', [], 'unix:/run/a', '/'],
  ] as const)('%s', (_, globs, endpoint, anchor) => {
    const path = endpoint.slice(endpoint.indexOf('/'));
    expect(endpointAnchor(globs, endpoint)).toEqual({ path, anchor });
  });

  it.each([
    ['all of it where there is no star', ['unix:/run/a', 'unix:*'], 'unix:/run/a'],
    ['what is no path', ['tcp:*'], 'tcp:localhost:1'],
  ])('%s', (_, globs, endpoint) => {
    expect(endpointAnchor(globs, endpoint)).toBeUndefined();
  });
});
