/** The documents in `openapi/`: their names suit generators, and both flavours of each say the same. */
import { bundledCatalogs, loadBundledCatalog } from '@qmp-gateway/catalog';
import type { Command } from '@qmp-gateway/qapi';
import type { OpenApiDocument, OpenApiOperation } from '@qmp-gateway/qapi-openapi';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { valuesOf } from '../conformance/qapi-values.js';

const directory = fileURLToPath(new URL('../../openapi', import.meta.url));
const files = readdirSync(directory).filter((name) => name.endsWith('.json') && name !== 'asyncapi.json');

function read(...names: string[]): OpenApiDocument {
  return JSON.parse(readFileSync(path.join(directory, ...names), 'utf8')) as OpenApiDocument;
}

function componentNames({ components }: OpenApiDocument): string[] {
  return [components.schemas, components.parameters, components.responses, components.headers].flatMap((section) =>
    Object.keys(section),
  );
}

describe.each(files.flatMap((file) => [[file], ['generators', file]]).map((names) => ({ names })))(
  'the names of $names',
  ({ names }) => {
    const document = read(...names);
    const all = componentNames(document);

    it('differ without case and punctuation, and none has a dot or a number for want of a name', () => {
      expect(new Set(all.map((name) => name.replace(/[^A-Za-z0-9]/g, '').toLowerCase())).size).toBe(all.length);
      expect(all.filter((name) => name.includes('.') || /_\d+$/.test(name))).toEqual([]);
    });

    it('of operations differ as generators write them', () => {
      const ids = operationsOf(document).map(({ operation }) => operation.operationId.replace(/[^A-Za-z0-9]/g, ''));
      expect(new Set(ids.map((id) => id.toLowerCase())).size).toBe(ids.length);
    });
  },
);

interface PlacedOperation {
  readonly place: string;
  readonly operation: OpenApiOperation;
}

function operationsOf({ paths }: OpenApiDocument): PlacedOperation[] {
  return Object.entries(paths).flatMap(([route, { parameters: _, ...item }]) =>
    Object.entries(item).map(([method, operation]) => ({ place: `${method} ${route}`, operation })),
  );
}

describe('names last from release to release', () => {
  /** QEMU itself gave these types another name, or has them no more. */
  const renamed = new Set([
    ...['CompressionStats', 'CpuS390State', 'SGXEPCSection', 'SGXInfo', 'String', 'TargetInfo'],
    ...['CpuInfoFastOfCris', 'CpuInfoFastOfNios2'],
    ...['QCryptoCipherAlgorithm', 'QCryptoHashAlgorithm', 'QCryptoIVGenAlgorithm'],
  ]);

  it.each([
    ['qemu-7.2.json', 'qemu-10.2.json'],
    ['qemu-storage-daemon-7.2.json', 'qemu-storage-daemon-10.2.json'],
    ['qemu-ga-7.2.json', 'qemu-ga-10.2.json'],
    ['stratovirt-2.4.json', 'stratovirt-2.5.json'],
    ['qemu-10.2.json', 'gateway.json'],
  ])('%s has none that %s has not', (older, newer) => {
    const names = new Set(componentNames(read(newer)));
    expect(componentNames(read(older)).filter((name) => !names.has(name) && !renamed.has(name))).toEqual([]);
  });
});

/** What an operation is, but for its controls, problems and the form of its schemas. */
function essence({ place, operation }: PlacedOperation): object {
  const { parameters = [], requestBody, responses, ...rest } = operation;
  const good = Object.keys(responses).filter((status) => /^[123]/.test(status));
  const problems = [...new Set(Object.keys(responses).map((status) => status.charAt(0)))];
  const named = parameters.flatMap((each) => ('$ref' in each || each.name === 'int64' ? [] : [each.name]));
  return { place, ...rest, named, good, problems, body: requestBody?.required };
}

describe.each(files)('both flavours of %s', (file) => {
  const full = read(file);
  const flavour = read('generators', file);

  it('have the same operations', () => {
    expect(operationsOf(flavour).map(essence)).toEqual(operationsOf(full).map(essence));
  });
});

type Accepts = (command: string, value: unknown) => boolean;

/** Whether the body of a command takes a value, by a document. */
function bodies(document: OpenApiDocument, ajv: Pick<Ajv, 'addSchema' | 'compile'>, prefix: string): Accepts {
  ajv.addSchema({ components: document.components, paths: document.paths }, 'document');
  const known = new Map<string, (value: unknown) => unknown>();
  return (command, value) => {
    let accepts = known.get(command);
    if (accepts === undefined) {
      const pointer = `${prefix}${command}`.replaceAll('/', '~1');
      const $ref = `document#/paths/${pointer}/post/requestBody/content/application~1json/schema`;
      accepts = ajv.compile({ $ref }) as (value: unknown) => unknown;
      known.set(command, accepts);
    }
    return accepts(value) === true;
  };
}

const options = { strict: false, validateFormats: false, validateSchema: false } as const;

describe.each(bundledCatalogs())('both flavours of $name $version', ({ file, kind }) => {
  it('take the same arguments', { timeout: 120_000 }, async () => {
    const { model } = await loadBundledCatalog({ file });
    const prefix = kind === 'guest-agent' ? '/agent/' : '/qmp/';
    const full = read(file);
    const byFull = bodies(full, new Ajv2020(options), prefix);
    const byFlavour = bodies(read('generators', file), new Ajv(options), prefix);
    const withBody = [...model.commands.values()].filter(({ name }) => full.paths[prefix + name]?.post?.requestBody);
    const verdicts = { true: 0, false: 0 };
    for (const command of withBody) {
      fc.assert(
        fc.property(valuesOf(command.arguments), (value) => {
          const accepted = byFull(command.name, value);
          verdicts[`${accepted}`]++;
          expect([value, byFlavour(command.name, value)]).toEqual([value, accepted]);
        }),
        { numRuns: 12 },
      );
    }
    expect(Math.min(verdicts.true, verdicts.false)).toBeGreaterThan(10);
  });

  it('take the same examples', async () => {
    const { model } = await loadBundledCatalog({ file });
    const examples = (document: OpenApiDocument): unknown[] =>
      [...model.commands.values()].map((command) => exampleOf(document, command));
    expect(examples(read('generators', file))).toEqual(examples(read(file)));
  });
});

function exampleOf({ paths }: OpenApiDocument, { name }: Command): unknown {
  const item = paths[`/qmp/${name}`] ?? paths[`/agent/${name}`];
  return item?.post?.requestBody?.content['application/json']?.example;
}
