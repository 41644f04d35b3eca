/**
 * The JSON Schema we publish and the validator we run say the same of the same arguments. With QAPI_TREES_DIR (a
 * directory that holds `qemu-10.2.2/qapi/qapi-schema.json`) for every command of that QEMU, else for a schema of our own.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileSchema, readJson, validateArguments, type Command } from '@qmp-gateway/qapi';
import { jsonSchemaOf } from '@qmp-gateway/qapi-openapi';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { valuesOf } from './qapi-values.js';

const ajv = new Ajv2020({ strict: false, validateFormats: false });

interface Verdicts {
  accepted: number;
  refused: number;
}

function expectSameVerdict(command: Command, numRuns: number, verdicts: Verdicts): void {
  const bySchema = ajv.compile(jsonSchemaOf(command.arguments, { openArguments: command.gen === false }));
  fc.assert(
    fc.property(valuesOf(command.arguments), (value) => {
      const { faults } = validateArguments(command, readJson(JSON.stringify(value)), { enforceWidths: true });
      const accepted = bySchema(value);
      verdicts[accepted ? 'accepted' : 'refused']++;
      if (accepted) expect(faults).toEqual([]);
      else expect(faults).not.toEqual([]);
    }),
    { numRuns },
  );
}

const ownSchema = `
{ 'enum': 'Kind', 'data': ['leaf', 'tree', 'none'] }
{ 'struct': 'Leaf', 'data': { 'u8': 'uint8', '*i16': 'int16', '*size': 'size', '*any': 'any' } }
{ 'struct': 'Tree', 'data': { 'children': ['Node'], '*ref': 'NodeOrName' } }
{ 'union': 'Node', 'base': { 'kind': 'Kind', '*weight': 'number' }, 'discriminator': 'kind',
  'data': { 'leaf': 'Leaf', 'tree': 'Tree' } }
{ 'alternate': 'NodeOrName', 'data': { 'node': 'Node', 'name': 'str', 'nothing': 'null' } }
{ 'command': 'plant', 'data': 'Node', 'boxed': true }
{ 'command': 'prune', 'data': { 'path': ['str'], 'at': 'NodeOrName', '*deep': 'bool', '*i32': 'int32' } }
{ 'command': 'graft', 'data': { 'driver': 'str', '*id': 'str' }, 'gen': false }
{ 'command': 'rest' }
`;

const trees = process.env['QAPI_TREES_DIR'];
if (trees === undefined) process.stderr.write('QAPI_TREES_DIR is not set: the commands of QEMU 10.2.2 are not tried\n');

describe('JSON Schema and validator agree', () => {
  const own = compileSchema('own.json', { read: () => ownSchema }).model;

  it.each([...own.commands.keys()])('on %s of a schema of our own', (name) => {
    const verdicts = { accepted: 0, refused: 0 };
    expectSameVerdict(own.commands.get(name)!, 1000, verdicts);
    expect(Math.min(verdicts.accepted, verdicts.refused)).toBeGreaterThan(20);
  });

  const schemaFile = trees === undefined ? undefined : join(trees, 'qemu-10.2.2/qapi/qapi-schema.json');
  it.runIf(schemaFile !== undefined)('on every command of QEMU 10.2.2', () => {
    const { model } = compileSchema(schemaFile!, { read: (path) => readFileSync(path, 'utf8') });
    expect(model.commands.size).toBe(244);
    const verdicts = { accepted: 0, refused: 0 };
    for (const command of model.commands.values()) expectSameVerdict(command, 60, verdicts);
    expect(Math.min(verdicts.accepted, verdicts.refused)).toBeGreaterThan(1000);
  });
});
