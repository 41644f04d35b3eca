import { loadBundledCatalog, bundledCatalogs } from '@qmp-gateway/catalog';
import { readJson, validateArguments, type Command, type QapiType } from '@qmp-gateway/qapi';
import { writeJson } from '@qmp-gateway/client';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { typedArguments } from '../../../apps/cli/src/arguments/typed-arguments.js';
import type { ServerModel } from '../../../apps/cli/src/arguments/schema-model.js';
import { renderSchema } from '../../../apps/gateway/src/schemas/schema-view.js';
import { VmSchema } from '../../../apps/gateway/src/schemas/vm-schema.js';

/** A member that takes one word, with the words that must stand beside it to reach it. */
interface ScalarArgument {
  readonly command: string;
  readonly key: string;
  readonly type: QapiType;
  readonly beside: readonly string[];
}

const deepest = 3;
let schema: VmSchema;
let model: ServerModel;
let scalars: ScalarArgument[];

/** All scalars below an object, each variant of it included. */
function* scalarsOf(
  type: QapiType,
  place: { command: string; above: string; beside: readonly string[]; depth: number },
): Generator<ScalarArgument> {
  const object = type.kind === 'alternate' ? type.branches.find((branch) => branch.type.kind === 'object')?.type : type;
  if (object?.kind !== 'object' || place.depth > deepest) return;
  const { command, above, beside, depth } = place;
  for (const member of object.members) {
    const key = `${above}${member.name}`;
    const inner = member.type.kind === 'array' ? member.type.element : member.type;
    if (inner.kind === 'builtin' || inner.kind === 'enum' || inner.kind === 'alternate')
      yield { command, key, type: inner, beside };
    if (member.type.kind === 'object' || member.type.kind === 'alternate')
      yield* scalarsOf(member.type, { command, above: `${key}.`, beside, depth: depth + 1 });
  }
  for (const variant of object.variants?.cases ?? []) {
    const tag = `${above}${object.variants?.tag ?? ''}=${variant.case}`;
    yield* scalarsOf(variant.type, { ...place, beside: [...beside, tag], depth: depth + 1 });
  }
}

/** A word for a type, and the JSON that it has to become; undefined where no single word can stand for it. */
function wordFor(type: QapiType): fc.Arbitrary<{ word: string; json: unknown }> | undefined {
  if (type.kind === 'enum') return fc.constantFrom(...type.values.map(({ name }) => ({ word: name, json: name })));
  if (type.kind === 'alternate') {
    const branches = type.branches.map((branch) => branch.type);
    const string = branches.find((branch) => branch.kind === 'builtin' && branch.json === 'string');
    const choices = string === undefined ? branches : [string];
    const words = choices.flatMap((branch) =>
      branch.kind === 'object' || branch.kind === 'array' ? [] : (wordFor(branch) ?? []),
    );
    return words.length === 0 ? undefined : fc.oneof(...words);
  }
  if (type.kind !== 'builtin') return undefined;
  switch (type.json) {
    case 'string':
      // JSON after `=` would be a list or an object where an alternate has those too.
      return fc
        .string()
        .filter((text) => !/^\s*[[{]/.test(text))
        .map((text) => ({ word: text, json: text }));
    case 'boolean':
      return fc.boolean().map((value) => ({ word: String(value), json: value }));
    case 'null':
      return fc.constant({ word: 'null', json: null });
    case 'number':
      return fc
        .double({ noNaN: true, noDefaultInfinity: true })
        .map((value) => ({ word: JSON.stringify(value), json: JSON.stringify(value) }));
    case 'int':
      return integerOf(type.name).map((value) => ({ word: value.toString(), json: value.toString() }));
    case 'value':
      return undefined;
  }
}

function integerOf(name: string): fc.Arbitrary<bigint> {
  const [, sign, bits] = /^(u?)int(\d+)$/.exec(name) ?? [undefined, name === 'size' ? 'u' : '', '64'];
  const width = BigInt(bits);
  return sign === 'u' ? fc.bigInt(0n, 2n ** width - 1n) : fc.bigInt(-(2n ** (width - 1n)), 2n ** (width - 1n) - 1n);
}

const commandOf = (name: string): Command => schema.model.commands.get(name)!;
const pairOf = (word: string) => {
  const at = word.indexOf('=');
  return { key: word.slice(0, at), value: word.slice(at + 1), isJson: false };
};

beforeAll(async () => {
  const bundled = bundledCatalogs().find(({ file }) => file === 'qemu-10.2.json')!;
  const catalog = await loadBundledCatalog(bundled);
  schema = new VmSchema('sha256:test', { kind: 'qemu', version: '10.2.0', package: '' }, catalog.model, {
    exact: true,
    classes: new Map(),
  });
  model = JSON.parse(renderSchema(schema)) as ServerModel;
  scalars = model.commands.flatMap(({ name }) => [
    ...scalarsOf(commandOf(name).arguments, { command: name, above: '', beside: [], depth: 0 }),
  ]);
});

describe('key=value, for every scalar argument of every command of QEMU 10.2', () => {
  it('has all of them', () => {
    expect(model.commands.length).toBeGreaterThan(200);
    expect(scalars.length).toBeGreaterThan(1500);
    expect(new Set(scalars.map(({ command }) => command)).size).toBeGreaterThan(150);
  });

  it('becomes what the validator takes, digit for digit', () => {
    const unreachable: string[] = [];
    for (const { command, key, type, beside } of scalars) {
      const words = wordFor(type);
      if (words === undefined) {
        unreachable.push(`${command} ${key}`);
        continue;
      }
      const description = model.commands.find(({ name }) => name === command)!;
      fc.assert(
        fc.property(words, ({ word, json }) => {
          // A tag may be the argument itself.
          const pairs = [...beside.map(pairOf).filter((pair) => pair.key !== key), { key, value: word, isJson: false }];
          const typed = typedArguments(model, description, pairs);
          expect(typed.faults).toEqual([]);
          const text = writeJson(typed.value) ?? '';
          const { faults } = validateArguments(commandOf(command), readJson(text), { enforceWidths: true });
          const pointer = [...typed.keys].find(([, typedKey]) => typedKey === key)?.[0] ?? '';
          expect([command, key, word, faults.filter((fault) => `${fault.pointer}/`.startsWith(`${pointer}/`))]).toEqual(
            [command, key, word, []],
          );
          expect(text).toContain(`${JSON.stringify(key.slice(key.lastIndexOf('.') + 1))}:`);
          if (typeof json === 'string' && type.kind === 'builtin' && type.json !== 'string')
            expect(text).toContain(json);
        }),
        { numRuns: 4 },
      );
    }
    // An `any` has no type to be read by.
    expect([...new Set(unreachable)].length).toBeLessThan(10);
  }, 120_000);

  it('that does not fit is refused before anything is sent', () => {
    for (const { command, key, type, beside } of scalars) {
      if (type.kind !== 'builtin' || !['int', 'boolean'].includes(type.json)) continue;
      const description = model.commands.find(({ name }) => name === command)!;
      const pairs = [...beside.map(pairOf), { key, value: 'what', isJson: false }];
      expect(typedArguments(model, description, pairs).faults).toEqual([
        { key, message: type.json === 'int' ? 'takes an integer' : 'takes true or false' },
      ]);
    }
  });
});
