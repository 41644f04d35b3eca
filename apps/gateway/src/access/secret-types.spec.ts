import type { QapiModel } from '@qmp-gateway/qapi';
import { expect, it } from 'vitest';
import { findSecretProperties } from './secret-types.js';

const model = (...commands: string[]) =>
  ({ commands: new Map(commands.map((name) => [name, {}])) }) as unknown as QapiModel;
const named = (...names: string[]) => names.map((name) => ({ name, type: 'string' }));

async function find(types: unknown, properties: Record<string, unknown> = {}) {
  const asked: string[] = [];
  const found = await findSecretProperties(
    (command, json = '{}') => {
      const { typename } = JSON.parse(json) as { typename?: string };
      asked.push(typename ?? command);
      const answer = typename === undefined ? types : properties[typename];
      return Promise.resolve(answer === undefined ? undefined : Buffer.from(JSON.stringify(answer)));
    },
    model('qom-list-types', 'qom-list-properties'),
  );
  return { asked, found: [...found] };
}

it('asks about no type of secrets that is known', async () => {
  expect(await find(named('secret', 'secret_keyring'))).toEqual({ asked: ['qom-list-types'], found: [] });
});

it('takes what an unknown type has for the secret, but for what tells nothing', async () => {
  const properties = { secret_vault: named('type', 'iv', 'keyid', 'format', 'payload', 'pin') };
  expect((await find(named('secret', 'secret_vault'), properties)).found).toEqual(['payload', 'pin']);
});

it('goes by the names alone where a VM does not say', async () => {
  for (const types of [undefined, {}, null, [null, { name: 1 }]]) expect((await find(types)).found).toEqual([]);
  expect((await find(named('secret_vault'))).found).toEqual([]);
  const asked = findSecretProperties(() => Promise.reject(new Error('asked')), model('qom-list-types'));
  expect([...(await asked)]).toEqual([]);
});

it('asks about a bounded number of types, and keeps a bounded number of names', async () => {
  const { asked } = await find(named(...Array.from({ length: 1000 }, (_, at) => `secret_${at}`)));
  expect(asked.length).toBeLessThan(40);
  const properties = { secret_vault: named('x'.repeat(1000), ...Array.from({ length: 5000 }, (_, at) => `p${at}`)) };
  const { found } = await find(named('secret_vault'), properties);
  expect([found.length, found[0]]).toEqual([512, 'p0']);
});
