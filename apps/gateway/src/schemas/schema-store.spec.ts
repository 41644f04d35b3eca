import { describe, expect, it } from 'vitest';
import { SchemaStore, SchemaRateError } from './schema-store.js';

const origin = { kind: 'qemu', version: '10.2.0', package: '' } as const;

const anybody = { mayBuildSchema: () => true };
const nobody = { mayBuildSchema: () => false };

const introspection = (...commands: readonly string[]): Buffer =>
  Buffer.from(
    JSON.stringify([
      { name: 'empty', 'meta-type': 'object', members: [] },
      ...commands.map((name) => ({ name, 'meta-type': 'command', 'arg-type': 'empty', 'ret-type': 'empty' })),
    ]),
  );

describe('the store of schemas', () => {
  it('builds one for all who ask for the same, at once or later', async () => {
    const store = new SchemaStore(new Map(), []);
    let built = 0;
    const ask = () => store.fromIntrospection(origin, introspection('stop'), { mayBuildSchema: () => ++built > 0 });
    const [first, second] = await Promise.all([ask(), ask()]);
    expect(second).toBe(first);
    expect(await ask()).toBe(first);
    expect(built).toBe(1);
  });

  it('goes on sharing what is held, whatever one server makes up', async () => {
    const store = new SchemaStore(new Map(), []);
    const shared = await store.fromIntrospection(origin, introspection('stop'), anybody);
    for (let n = 0; n < 100; n++) await store.fromIntrospection(origin, introspection(`x-${n}`), anybody);
    expect(await store.fromIntrospection(origin, introspection('stop'), nobody)).toBe(shared);
  });

  it('builds no more for who has had his turns, and reads nothing again that could not be read', async () => {
    const store = new SchemaStore(new Map(), []);
    const refused = store.fromIntrospection(origin, introspection('stop'), nobody);
    await expect(refused).rejects.toThrow(SchemaRateError);
    let built = 0;
    for (let n = 0; n < 2; n++)
      await expect(
        store.fromIntrospection(origin, Buffer.from('[1]'), { mayBuildSchema: () => ++built > 0 }),
      ).rejects.toThrow('entry 0');
    expect(built).toBe(1);
  });

  it('leaves out definitions that have no name, and counts them', async () => {
    const store = new SchemaStore(new Map(), []);
    const bytes = introspection('stop', 'x'.repeat(129), '../../metrics', 'a b\n');
    const schema = await store.fromIntrospection(origin, bytes, anybody);
    expect([...schema.commands.keys()]).toEqual(['stop']);
    expect(schema.leftOut).toBe(3);
  });

  it('takes no more than a server can have', async () => {
    const store = new SchemaStore(new Map(), []);
    const many = introspection(...Array.from({ length: 2001 }, (_, n) => `x-${n}`));
    await expect(store.fromIntrospection(origin, many, anybody)).rejects.toThrow('over 2000 commands');
  });
});
