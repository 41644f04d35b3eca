import { describe, expect, it } from 'vitest';
import { resourceBook } from './app.module.js';
import { RouteTable } from './http/route-table.js';

const { documents, routes } = resourceBook();
const operations = Object.values(documents.paths).flatMap(({ get, put, post, delete: remove }) =>
  [get, put, post, remove].filter((each) => each !== undefined),
);

describe('the resources of the gateway', () => {
  it('are all declared, each with a name of its own', () => {
    const ids = operations.map(({ operationId }) => operationId);
    expect(ids).toHaveLength(routes.length);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('need credentials but where no data of a VM is', () => {
    const open = operations.filter(({ security }) => security?.length === 0);
    expect(open.map(({ operationId }) => operationId).sort()).toEqual([
      ...[
        'getApiRoot',
        'getAsyncApi',
        'getCatalogOpenApi',
        'getConsole',
        'getConsoleFile',
        'getConsoleView',
        'getDocs',
      ],
      ...['getDocsFile', 'getLiveness', 'getOpenApi', 'getProblem', 'getReadiness', 'getRoot', 'listCatalogs'],
    ]);
  });

  it('take the session cookie only where a browser can send no header', () => {
    const cookies = operations.filter(({ security }) => security?.some((each) => 'session' in each));
    expect(cookies.map(({ operationId }) => operationId).sort()).toEqual(['getEvents', 'getScreen', 'getVmEvents']);
  });

  it('say what every variable of their paths is', () => {
    for (const [path, { parameters = [] }] of Object.entries(documents.paths)) {
      const named = parameters.map((each) => ('$ref' in each ? 'vm' : each.name));
      expect(named, path).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    }
  });

  it.each([
    ['/v1/events', ['GET']],
    ['/v1/vms/a/events', ['GET']],
    ['/v1/vms/a/agent/files', ['GET', 'PUT']],
    ['/v1/vms/a', ['DELETE', 'GET', 'HEAD', 'PUT']],
  ])('take HEAD only where that costs nothing: %s', (path, methods) => {
    expect(new RouteTable(routes).methods(path)).toEqual(methods);
  });
});
