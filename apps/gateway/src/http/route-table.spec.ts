import { expect, it } from 'vitest';
import type { ResourceRoute } from './resource/resource-routes.js';
import { RouteTable } from './route-table.js';

const tag = { name: 't', description: 't' };
const route = (method: string, path: string, more: Partial<ResourceRoute['declaration']> = {}): ResourceRoute => {
  const declaration = { id: `${method} ${path}`, summary: 's', needs: 'level `read`', answers: {}, ...more };
  return { method, path, tag, declaration, additions: [] };
};
const { needs: _, ...open } = route('GET', '/livez').declaration;
const table = new RouteTable([
  { ...route('GET', '/livez'), declaration: open },
  route('GET', '/v1/vms/:vm'),
  route('PUT', '/v1/vms/:vm'),
  route('POST', '/v1/vms/new'),
  route('GET', '/v1/vms/:vm/qom/*path'),
  route('GET', '/v1/events', { cookie: true }),
  route('PUT', '/v1/vms/:vm/files', { streamedBody: { type: 'application/octet-stream', what: 'a file' } }),
]);

it.each([
  ['/v1/vms/web', ['GET', 'HEAD', 'PUT']],
  ['/v1/vms/new', ['GET', 'HEAD', 'POST', 'PUT']],
  ['/v1/vms/web/qom/machine/x', ['GET', 'HEAD']],
  ['/v1/vms/web/', []],
  ['/V1/vms/web', []],
  ['/v1/vms/', []],
  ['/v1/vms/a/b', []],
  ['/v1/vms/web/qom/', ['GET', 'HEAD']],
  ['/livez', ['GET', 'HEAD']],
])('%s takes %j', (path, methods) => {
  expect(table.methods(path)).toEqual(methods);
  for (const method of ['GET', 'HEAD', 'PUT', 'POST']) expect(table.takes(method, path)).toBe(methods.includes(method));
});

it('opens what is declared open, by reading methods and exact paths only', () => {
  expect([table.isPublic('GET', '/livez'), table.isPublic('HEAD', '/livez')]).toEqual([true, true]);
  for (const [method, path] of [
    ['POST', '/livez'],
    ['GET', '/LIVEZ'],
    ['GET', '/livez/'],
    ['GET', '/v1/vms/livez'],
    ['GET', '//livez'],
    ['GET', 'http://x/livez'],
  ])
    expect(table.isPublic(method, path ?? ''), path).toBe(false);
});

it('knows what was meant for what is open, and tells nothing of the rest', () => {
  const near = (method: string, path: string) => table.isNearPublic(method, path);
  for (const [method, path] of [
    ['POST', '/livez'],
    ['GET', '/LIVEZ'],
    ['GET', '/livez/'],
    ['DELETE', '/Livez/'],
  ] as const)
    expect([method, path, near(method, path)]).toEqual([method, path, true]);
  for (const path of ['/livez', '/', '//livez', '/live', '/v1/vms/livez', '/v1/events/', '/V1/events'])
    expect([path, near('GET', path)]).toEqual([path, false]);
});

it('knows where the cookie counts and which body is streamed', () => {
  expect(table.traits('GET', '/v1/events').takesCookie).toBe(true);
  expect(table.traits('GET', '/v1/vms/web').takesCookie).toBe(false);
  expect(table.traits('PUT', '/v1/vms/web/files').streamsBody).toBe(true);
  expect(table.traits('POST', '/v1/vms/web/files').streamsBody).toBe(false);
});
