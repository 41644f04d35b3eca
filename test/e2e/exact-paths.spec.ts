import type { OpenApiDocument } from '@qmp-gateway/qapi-openapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { samples } from './documented-answers/samples.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm } from './gateway-scene.js';
import { exchange } from './http-exchange.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let document: OpenApiDocument;
let vm: string;
let paths: string[];
/** Those of single commands, of which there are hundreds alike. */
let others: string[];

beforeAll(async () => {
  gateway = await scene.gateway();
  vm = await registerVm(gateway, 'unix:/nowhere/a', { state: 'waiting', agent: 'unix:/nowhere/b' });
  document = (await exchange(gateway, '/openapi.json')).json() as unknown as OpenApiDocument;
  const asked = Object.values(samples(vm, { operation: 'a', token: 'a' })).map(({ path }) => path.split('?')[0] ?? '');
  others = [`/v1/vms/${vm}/qmp/stop`, `/v1/vms/${vm}/agent/guest-ping`];
  paths = [...new Set(asked), ...others];
});
afterAll(() => scene.end());

/** Other spellings of a path, which routers and servers often take for the same. */
const spellings: Readonly<Record<string, (path: string) => string>> = {
  'in other letters': (path) => path.replace(/[a-z]/, (letter) => letter.toUpperCase()),
  'with a slash behind': (path) => `${path}/`,
  'with a slash too many': (path) => path.replace(/^\//, '//'),
  'with a letter in percent': (path) =>
    path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`),
};

describe('paths are exact', () => {
  it.each(Object.entries(spellings))('%s: nothing is there, for any method', async (_, spell) => {
    // `qom` and what is below it is the VM's: it says which spelling is which object. So it is with the
    // console, whose pages know their addresses themselves. `/` has no letter to spell otherwise.
    const strict = paths.filter(
      (path) => !/\/qom(?:\/|$)/.test(path) && !/^\/console(?:\/|$)/.test(spell(path)) && spell(path) !== path,
    );
    for (const path of strict)
      for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
        const answer = await exchange(gateway, spell(path), { method });
        expect([method, spell(path), answer.json()]).toMatchObject([method, spell(path), { code: 'route-not-found' }]);
      }
  });

  it('leads from other letters and slashes to the path that was meant', async () => {
    for (const [path, meant] of [
      ['/V1/tokens', '/v1/tokens'],
      ['/v1/Tokens', '/v1/tokens'],
      ['/v1/tokens/', '/v1/tokens'],
      ['//v1/tokens', '/v1/tokens'],
      ['/v1/vms/a/qmp/stop/', '/v1/vms/a/qmp/stop'],
      ['/v1/VMS/a/qmp/stop', '/v1/vms/a/qmp/stop'],
      ['/v1/vms/a/QMP', '/v1/vms/a/qmp'],
    ] as const) {
      const answer = await exchange(gateway, path);
      expect([path, answer.json()]).toMatchObject([path, { code: 'route-not-found', suggestions: [meant] }]);
    }
  });

  it('take the methods that the document has for them, and name them to any other', async () => {
    const asked = samples(vm, { operation: 'a', token: 'a' });
    let count = 0;
    for (const { parameters: _, ...item } of Object.values(document.paths)) {
      const ids = Object.values(item).map(({ operationId }) => operationId);
      const path = ids.map((id) => asked[id]?.path.split('?')[0]).find((each) => each !== undefined);
      if (path === undefined) continue;
      count++;
      const documented = Object.keys(item).map((method) => method.toUpperCase());
      const answer = await exchange(gateway, path, { method: 'PATCH' });
      const allowed = answer.headers.allow?.split(', ').filter((method) => method !== 'HEAD');
      expect([path, answer.status, allowed]).toEqual([path, 405, documented.sort()]);
    }
    expect(count).toBeGreaterThan(30);
  });
});
