import { writeJson } from '@qmp-gateway/client';
import { expect, it } from 'vitest';
import { formWith, object } from '../../forms/form.scene.js';
import { asArguments, draftOf, notesOf, switched, draftedArguments } from './draft.js';

const form = formWith({ arguments: object({ 'id?': 'str', 'size?': 'uint64' }) });

it('arguments are the same as fields and as text', () => {
  const text = '{"id":"a","size":18446744073709551615}';
  const fields = draftOf(form, text);
  expect(fields.kind).toBe('form');
  expect(switched(form, fields)).toEqual({ kind: 'text', text });
  expect(switched(form, { kind: 'text', text })).toEqual(fields);
  expect(switched(form, { kind: 'text', text: '' })).toEqual(draftOf(form, undefined));
});

it('a text is sent as it is written, but for white space', () => {
  expect(draftedArguments(form, { kind: 'text', text: '{ "size" : 1.0 }' })).toEqual({
    text: '{"size":1.0}',
    faults: [],
  });
  expect(draftedArguments(form, { kind: 'text', text: '  ' })).toEqual({ text: undefined, faults: [] });
  expect(writeJson({ arguments: asArguments('{"size":1.0}') })).toBe('{"arguments":{"size":1.0}}');
  expect(asArguments(undefined)).toBeUndefined();
});

it.each([
  ['{', 'not JSON'],
  ['[1]', 'not an object of arguments'],
  ['"{"', 'not an object of arguments'],
])('%s is no arguments', (text, message) => {
  expect(draftedArguments(form, { kind: 'text', text }).faults).toMatchObject([{ pointer: '', message }]);
  expect(switched(form, { kind: 'text', text })).toBeUndefined();
});

it('a text that was kept and cannot be read is shown as text', () => {
  expect(draftOf(form, '{')).toEqual({ kind: 'text', text: '{' });
});

it('notes stand at their fields; what is missing only for somebody who has finished', () => {
  const faults = [
    { pointer: '/id', message: 'required', missing: true },
    { pointer: '/size', message: 'not an integer', missing: false },
  ];
  const ofGateway = [{ pointer: '/size', message: 'unknown', suggestions: ['a', 'b'] }];
  expect([...notesOf(faults, ofGateway, false)]).toEqual([
    [
      '/size',
      [
        { kind: 'fault', text: 'not an integer' },
        { kind: 'fault', text: 'unknown; did you mean a or b?' },
      ],
    ],
  ]);
  expect([...notesOf(faults, [], true).keys()]).toEqual(['/id', '/size']);
});
