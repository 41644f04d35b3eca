/** A stranger's way to a client: types made from `openapi/gateway.json` by a public generator, and `fetch`. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import openapiTS, { astToString } from 'openapi-typescript';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm } from './gateway-scene.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let vm: string;

beforeAll(async () => {
  gateway = await scene.gateway();
  vm = await registerVm(gateway, `unix:${(await scene.qemu()).socket}`);
});
afterAll(() => scene.end());

/** The program of the stranger. It returns what a live VM answered. */
const program = `
import type { components, paths } from './gateway.js';

/** This program asks for none. */
type DryRun = components['schemas']['DryRun'];
type Json<T> = T extends { content: { 'application/json': infer Body } } ? Body : never;
type Returns<P extends keyof paths> = paths[P] extends { post: { responses: { 200: infer Answer } } } ? Exclude<Json<Answer>, DryRun> : never;
type Takes<P extends keyof paths> = paths[P] extends { post: { requestBody: infer Body } } ? Json<Body> : undefined;

export async function main(url: string, token: string, vm: string) {
  async function post<P extends keyof paths>(path: P, body: Takes<P>): Promise<Returns<P>> {
    const answer = await fetch(url + path.replace('{vm}', vm), {
      method: 'POST',
      headers: { Authorization: 'Bearer ' + token, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw (await answer.json()) as components['schemas']['Problem'];
    return (await answer.json()) as Returns<P>;
  }

  await post('/v1/vms/{vm}/qmp/object-add', { 'qom-type': 'iothread', id: 'io0', 'poll-max-ns': 4096 });
  // @ts-expect-error not a value of the enumeration
  const wrongValue = () => post('/v1/vms/{vm}/qmp/object-add', { 'qom-type': 'nope', id: 'io0' });
  // @ts-expect-error a required member is missing
  const missing = () => post('/v1/vms/{vm}/qmp/qom-list', {});
  const threads = await post('/v1/vms/{vm}/qmp/query-iothreads', undefined);
  const names: string[] = threads.map((thread) => thread.id);
  const polls: number[] = threads.map((thread) => thread['poll-max-ns']);
  const { status } = await post('/v1/vms/{vm}/qmp/query-status', undefined);
  const state: components['schemas']['RunState'] = status;
  // @ts-expect-error a text
  const count: number = status;
  return { names, polls, state, count, unused: [wrongValue, missing].length };
}
`;

it('types made by openapi-typescript compile, and a program with them calls a live VM', async () => {
  const directory = scene.directory();
  const document = JSON.parse(readFileSync(new URL('../../openapi/gateway.json', import.meta.url), 'utf8')) as object;
  writeFileSync(path.join(directory, 'gateway.ts'), astToString(await openapiTS(JSON.stringify(document))));
  writeFileSync(path.join(directory, 'program.ts'), program);
  writeFileSync(path.join(directory, 'package.json'), '{"type":"module"}');
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const options = ['--strict', '--target', 'ES2022', '--module', 'NodeNext', '--lib', 'ES2022,DOM'];
  const { stdout } = await promisify(execFile)(process.execPath, [compiler, ...options, 'program.ts'], {
    cwd: directory,
  });
  expect(stdout).toBe('');

  const { main } = (await import(pathToFileURL(path.join(directory, 'program.js')).href)) as {
    main: (url: string, token: string, vm: string) => Promise<unknown>;
  };
  expect(await main(gateway.url, gateway.token ?? '', vm)).toMatchObject({
    names: ['io0'],
    polls: [4096],
    state: 'prelaunch',
    count: 'prelaunch',
  });
});
