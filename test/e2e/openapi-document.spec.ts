import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';

interface Document {
  openapi: string;
  servers: { url: string }[];
  paths: Record<string, Record<string, { operationId: string }>>;
}

const scene = new GatewayScene();
let gateway: GatewayProcess;
let vm: string;

beforeAll(async () => {
  gateway = await scene.gateway();
  vm = await registerVm(gateway, `unix:${(await scene.qemu()).socket}`);
});
afterAll(() => scene.end());

describe('the OpenAPI document of a live QEMU', () => {
  it('has a path for each of its commands and no other', async () => {
    const document = (await exchange(gateway, `/v1/vms/${vm}/openapi.json`)).json() as unknown as Document;
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(document.servers).toEqual([{ url: `/v1/vms/${vm}` }]);
    const commands = JSON.parse((await run(gateway, vm, 'query-commands')).text) as { name: string }[];
    const expected = commands.map(({ name }) => `/qmp/${name}`).sort();
    expect(Object.keys(document.paths).sort()).toEqual(expected);
    const version = (await exchange(gateway, `/v1/vms/${vm}`)).json()['version'] as string;
    if (version.startsWith('7.2.')) expect(expected).toHaveLength(216);
    for (const [route, operations] of Object.entries(document.paths)) {
      expect(Object.keys(operations)).toContain('post');
      expect(operations['get']?.operationId ?? operations['post']?.operationId).toBe(route.slice('/qmp/'.length));
    }
  });

  it('passes a public linter without an error', async () => {
    const file = path.join(scene.directory(), 'openapi.json');
    writeFileSync(file, (await exchange(gateway, `/v1/vms/${vm}/openapi.json`)).text);
    const { stdout } = await promisify(execFile)(
      'npx',
      ['--no-install', 'redocly', 'lint', '--format', 'json', '--extends', 'recommended', file],
      {
        cwd: fileURLToPath(new URL('../..', import.meta.url)),
        env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
        maxBuffer: 2 ** 28,
      },
    ).catch((error: unknown) => error as { stdout: string });
    const { totals, problems } = JSON.parse(stdout) as {
      totals: { errors: number };
      problems: { severity: string; message: string }[];
    };
    expect(problems.filter(({ severity }) => severity === 'error').map(({ message }) => message)).toEqual([]);
    expect(totals.errors).toBe(0);
  });

  it('is the same bytes each time, and 304 for its ETag', async () => {
    const first = await exchange(gateway, `/v1/vms/${vm}/openapi.json`);
    const again = await exchange(gateway, `/v1/vms/${vm}/openapi.json`);
    expect(again.text).toBe(first.text);
    const etag = first.headers.etag ?? '';
    expect(etag).not.toBe('');
    const unchanged = await exchange(gateway, `/v1/vms/${vm}/openapi.json`, { headers: { 'If-None-Match': etag } });
    expect([unchanged.status, unchanged.text]).toEqual([304, '']);
  });

  it('has a flavour for generators, with a tag of its own', async () => {
    const full = await exchange(gateway, `/v1/vms/${vm}/openapi.json?flavour=full`);
    const flavour = await exchange(gateway, `/v1/vms/${vm}/openapi.json?flavour=generators`);
    const [one, other] = [full, flavour].map((answer) => answer.json() as unknown as Document);
    expect([one?.openapi, other?.openapi]).toEqual(['3.1.0', '3.0.3']);
    expect(other?.servers).toEqual([{ url: `/v1/vms/${vm}` }]);
    expect(Object.keys(other?.paths ?? {})).toEqual(Object.keys(one?.paths ?? {}));
    expect(flavour.headers.etag).not.toBe(full.headers.etag);
  });
});

describe('the flavour of other documents', () => {
  const published = (name: string) => readFileSync(new URL(`../../openapi/${name}`, import.meta.url), 'utf8');

  it.each([
    ['/openapi.json?flavour=generators', 'generators/gateway.json'],
    ['/openapi.json', 'gateway.json'],
    ['/docs/catalogs/qemu-ga-7.2.json?flavour=generators', 'generators/qemu-ga-7.2.json'],
    ['/docs/catalogs/qemu-ga-7.2.json?flavour=full', 'qemu-ga-7.2.json'],
  ])('%s is openapi/%s', async (address, file) => {
    expect((await exchange(gateway, address)).text).toBe(published(file));
  });

  it('is refused where there is none of this name', async () => {
    const misspelt = await exchange(gateway, '/openapi.json?flavor=generators');
    expect(misspelt.status).toBe(400);
    expect(misspelt.json()).toMatchObject({
      errors: [{ in: 'query', pointer: '/flavor', suggestions: ['flavour'] }],
    });
    expect((await exchange(gateway, `/v1/vms/${vm}/openapi.json?flavour=java`)).status).toBe(400);
  });
});
