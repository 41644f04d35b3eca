import type { QapiModel } from '@qmp-gateway/qapi';
import { expect, it } from 'vitest';
import { secretPropertiesOf } from './secret-properties.js';

/** What a schema has of the types that `object-add` makes. */
function found(types: Readonly<Record<string, readonly string[]>> | undefined): string[] {
  const cases = Object.entries(types ?? {}).map(([name, members]) => ({
    ...{ case: name, type: { members: members.map((member) => ({ name: member })) } },
  }));
  const variants = types === undefined ? {} : { variants: { tag: 'qom-type', cases } };
  const commands = new Map([['object-add', { arguments: { members: [], ...variants } }]]);
  return [...secretPropertiesOf({ commands } as unknown as QapiModel)];
}

const common = ['format', 'keyid', 'iv'];

it('takes what an unknown type has for the secret, but for what tells nothing', () => {
  expect(found({ secret_vault: [...common, 'loaded', 'payload', 'pin'], iothread: ['poll-max-ns', 'iv'] })).toEqual([
    ...['payload', 'pin'],
  ]);
});

it('has nothing to say of types that are known, of other types, and of old schemas', () => {
  expect(found({ secret: [...common, 'data', 'file'], secret_keyring: [...common, 'serial'] })).toEqual([]);
  expect(found(undefined)).toEqual([]);
  expect([...secretPropertiesOf({ commands: new Map() })]).toEqual([]);
});

it('keeps a bounded number of names', () => {
  const names = found({ vault: [...common, 'x'.repeat(1000), ...Array.from({ length: 5000 }, (_, at) => `p${at}`)] });
  expect([names.length, names[0]]).toEqual([512, 'p0']);
});
