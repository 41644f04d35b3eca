import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bundledCatalogs, commandClassesFromSettings, loadBundledCatalog, type Catalog } from '@qmp-gateway/catalog';
import { readJson, type VmSchema as SchemaDocument } from '@qmp-gateway/client';
import { readJson as readStrictJson, validateArguments } from '@qmp-gateway/qapi';
import { renderSchema } from '../../../apps/gateway/src/schemas/schema-view.js';
import { VmSchema } from '../../../apps/gateway/src/schemas/vm-schema.js';
import { argumentsOf } from '../../../apps/console/src/forms/arguments-text.js';
import { formOf } from '../../../apps/console/src/forms/command-form.js';
import { stateOf } from '../../../apps/console/src/forms/state-of-arguments.js';
import { fillIn } from './fill-in-form.js';

/** Forms filled in for each command: more for the newest QEMU than for the others, which share most of it. */
const runsOf = ({ kind, version }: Catalog['meta']) => (kind === 'qemu' && version === '10.2.2' ? 8 : 2);

const catalogs = await Promise.all(bundledCatalogs().map(loadBundledCatalog));

describe.each(catalogs.map((catalog) => ({ title: `${catalog.meta.name} ${catalog.meta.version}`, catalog })))(
  '$title',
  ({ catalog: { meta, model } }) => {
    const origin = { kind: meta.kind, version: meta.version, package: '' };
    const schema = new VmSchema('', origin, model, { exact: true, classes: noClasses() });
    const document = JSON.parse(renderSchema(schema)) as SchemaDocument;

    it('has a form for each command, whose arguments are valid whatever is chosen in it', () => {
      const sent = new Map<string, number>();
      for (const { name, definition, validation } of schema.commands.values()) {
        const form = formOf(document, name)!;
        fc.assert(
          fc.property(fc.gen(), (random) => {
            const { text, faults } = argumentsOf(form, fillIn(form, random));
            expect(faults, name).toEqual([]);
            const document = text === undefined ? undefined : readStrictJson(text);
            expect(validateArguments(definition, document, validation).faults, `${name} ${text}`).toEqual([]);
            // A run of the past, filled in again.
            const again = argumentsOf(form, stateOf(form, readJson(text ?? '{}')));
            expect(readJson(again.text ?? '{}'), name).toEqual(readJson(text ?? '{}'));
            sent.set(name, Math.max(sent.get(name) ?? 0, text?.length ?? 0));
          }),
          { numRuns: runsOf(meta) },
        );
      }
      expect(sent.size).toBe(model.commands.size);
      // Not only empty forms: most of what takes arguments got some.
      const taking = [...sent].filter(([name]) => model.commands.get(name)!.arguments.members.length > 0);
      expect(taking.filter(([, length]) => length > 2).length).toBeGreaterThan(taking.length * 0.8);
    });
  },
);

it('QEMU 10.2 has 244 commands', () => {
  expect(catalogs.find(({ meta }) => meta.version === '10.2.2' && meta.kind === 'qemu')?.model.commands.size).toBe(244);
});

function noClasses() {
  const { classes } = commandClassesFromSettings({});
  return classes;
}
