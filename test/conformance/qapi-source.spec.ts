import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type CompiledSchema, QapiSchemaError, compileSchema } from '@qmp-gateway/qapi';
import { describe, expect, it } from 'vitest';
import { ConformanceDirectory } from './conformance-directory.js';
import { renderModules } from './render-modules.js';

const directory = process.env['QAPI_CONFORMANCE_DIR'];
const trees = process.env['QAPI_TREES_DIR'];

if (directory === undefined) {
  it('is given a conformance directory', () => {
    expect.fail('QAPI_CONFORMANCE_DIR is not set; run: npm run test:conformance -- DIR [TREES]');
  });
} else {
  describe('the cases of the conformance directory', () => checkCases(new ConformanceDirectory(directory)));
}

function checkCases(conformance: ConformanceDirectory): void {
  const cases = conformance.cases();

  it('are there', () => expect(cases.length).toBeGreaterThan(0));

  for (const { case: name, valid, file, line, says } of cases) {
    if (valid) {
      const rebuilt: string[] = [];
      const compile = (): CompiledSchema => compileSchema(conformance.schema(name), conformance.filesOf(name, rebuilt));
      const expected = conformance.expectedOutput(name);

      it(`${name} is valid`, () => {
        expect(compile).not.toThrow();
        for (const missing of rebuilt) {
          process.stdout.write(
            `${name} includes ${missing}, which is not in the directory: rebuilt from ${name}.out\n`,
          );
        }
      });
      if (expected !== undefined) {
        it(`${name} makes the model of its .out`, () => {
          const withoutPrefixes = expected.filter((text) => !text.startsWith('    prefix '));
          expect(renderModules(compile().modules)).toEqual(withoutPrefixes);
        });
      }
    } else {
      it(`${name} is invalid at ${file ?? '?'}:${line ?? '?'} (${says ?? ''})`, () => {
        const error = errorOf(() => compileSchema(conformance.schema(name), conformance.filesOf(name)));
        expect([relative(conformance.path, error.file), error.line], error.message).toEqual([file, line]);
      });
    }
  }
}

if (trees !== undefined) describe('the schemas of QEMU', () => checkTrees(trees));

function checkTrees(trees: string): void {
  it.each([
    ['qemu-7.2.0', 'qapi/qapi-schema.json', 220, 52],
    ['qemu-7.2.0', 'storage-daemon/qapi/qapi-schema.json', 74, 13],
    ['qemu-7.2.0', 'qga/qapi-schema.json', 42, 0],
    ['qemu-10.2.2', 'qapi/qapi-schema.json', 244, 57],
    ['qemu-10.2.2', 'storage-daemon/qapi/qapi-schema.json', 77, 13],
    ['qemu-10.2.2', 'qga/qapi-schema.json', 44, 0],
  ])('%s/%s compiles: %i commands, %i events', (release, schema, commands, events) => {
    const path = join(trees, release, schema);
    expect(existsSync(path), `${path} is there`).toBe(true);
    const start = performance.now();
    const { model, docs } = compileSchema(path, { read: (file) => readFileSync(file, 'utf8') });
    process.stdout.write(`${release}/${schema} compiled in ${(performance.now() - start).toFixed(0)} ms\n`);
    expect([model.commands.size, model.events.size]).toEqual([commands, events]);
    expect([...model.commands.keys(), ...model.events.keys()].filter((name) => !docs.has(name))).toEqual([]);
    const undated = [...model.commands.values(), ...model.events.values()].filter(({ since }) => since === undefined);
    expect(undated.map(({ name }) => name)).toEqual([]);
  });
}

function errorOf(run: () => unknown): QapiSchemaError {
  try {
    run();
  } catch (error) {
    if (error instanceof QapiSchemaError) return error;
    throw error;
  }
  throw new Error('was accepted');
}
