import { compileSchema } from '@qmp-gateway/qapi';
import { expect, it } from 'vitest';
import { fittingExample } from './fitting-example.js';

const { model } = compileSchema('test.json', {
  read: () => `
{ 'enum': 'Kind', 'data': ['file', 'none'] }
{ 'struct': 'File', 'data': { 'path': 'str' } }
{ 'union': 'Node', 'base': { 'kind': 'Kind', '*id': 'str' }, 'discriminator': 'kind', 'data': { 'file': 'File' } }
{ 'alternate': 'NodeOrName', 'data': { 'node': 'Node', 'many': ['Node'] } }
{ 'command': 'c', 'data': { 'node': 'NodeOrName' } }`,
});
const type = model.commands.get('c')!.arguments;

it.each([
  [{ node: { kind: 'file', path: 'p', newer: 1 } }, { node: { kind: 'file', path: 'p' } }],
  [{ node: [{ kind: 'none', id: 'a' }], newer: 1 }, { node: [{ kind: 'none', id: 'a' }] }],
  [{ node: { kind: 'newer' } }, undefined],
  [{ node: { kind: 'file' } }, undefined],
  [{ node: [{ kind: 'none' }, { kind: 'newer' }] }, undefined],
  [{ node: 'x' }, undefined],
  [{}, undefined],
])('of the example %j a type keeps %j', (example, kept) => {
  expect(fittingExample(type, example)).toEqual(kept);
});
