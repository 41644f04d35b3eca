import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileSchema, JsonSyntaxError, readJson, validateArguments, type QapiModel } from '@qmp-gateway/qapi';
import { jsonSchemaOf } from '@qmp-gateway/qapi-openapi';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { examplesOf, type ExampleRequest } from './qmp-examples.js';

const ajv = new Ajv2020({ strict: false, validateFormats: false });
const trees = process.env['QAPI_TREES_DIR'];

/** The requests that are wrong as they are written there, with the reason. */
const cannot: Readonly<Record<string, string>> = {
  'machine.json:1817': 'the object is closed before its arguments',
  'migration.json:1808': 'an integer is written as a string of hexadecimal digits',
  'migration.json:2356': 'the object is closed before its arguments',
  'migration.json:2380': 'the object is closed before its arguments',
  'qapi-schema.json:17': 'explains the notation of the examples',
};

describe.runIf(trees !== undefined)('the examples in the schema documentation of QEMU 10.2.2', () => {
  const tree = join(trees ?? '', 'qemu-10.2.2');
  const files = { read: (path: string) => readFileSync(path, 'utf8') };

  it('of commands validate against the model and the JSON Schema, but for those that are wrong themselves', () => {
    const { blocks, requests } = examplesOf(join(tree, 'qapi'));
    const { model } = compileSchema(join(tree, 'qapi/qapi-schema.json'), files);
    const faulty = requests.filter((request) => faultOf(model, request) !== undefined).map(({ place }) => place);
    expect(blocks).toBe(255);
    expect(requests).toHaveLength(215);
    expect(faulty.sort()).toEqual(Object.keys(cannot).sort());
  });
});

/** What our model, or the JSON Schema made of it, finds wrong with a request. */
function faultOf(model: QapiModel, { text }: ExampleRequest): string | undefined {
  try {
    const { root, text: json } = readJson(text);
    if (root.kind !== 'object') return 'not an object';
    const member = (name: string) => root.members.find((candidate) => candidate.name === name)?.value;
    const name = member('execute') ?? member('exec-oob');
    if (name?.kind !== 'string') return 'no command';
    const command = model.commands.get(name.value);
    if (command === undefined) return `unknown ${name.value}`;
    const args = member('arguments');
    const document = args === undefined ? undefined : readJson(json.slice(args.start, args.end));
    const { faults } = validateArguments(command, document, { enforceWidths: true });
    if (faults.length > 0) return `${name.value} ${JSON.stringify(faults)}`;
    const validate = ajv.compile(jsonSchemaOf(command.arguments, { openArguments: command.gen === false }));
    if (!validate(args === undefined ? {} : JSON.parse(json.slice(args.start, args.end))))
      return `${name.value} schema ${JSON.stringify(validate.errors)}`;
    return undefined;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return `syntax ${error.message} ${text.slice(0, 80)}`;
    throw error;
  }
}
