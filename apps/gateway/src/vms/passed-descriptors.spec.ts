import { readJson } from '@qmp-gateway/qapi';
import { expect, it } from 'vitest';
import { descriptorsIn, PassedDescriptors, setsIn } from './passed-descriptors.js';

function passed() {
  const known = new PassedDescriptors();
  known.done('getfd', '{"fdname":"a"}', '{}', 'e.1');
  known.done('getfd', '{"fdname":"b"}', '{}', 'e.1');
  known.done('add-fd', undefined, '{"fdset-id":3,"fd":10}', 'e.1');
  known.done('add-fd', '{"fdset-id":3}', '{"fdset-id":3,"fd":11}', 'e.2');
  return known;
}

const uses = (json: string, known = passed()) => descriptorsIn(readJson(Buffer.from(json)).root, known);

it('keeps what was given, until it is closed, removed or used up', () => {
  const known = passed();
  expect([[...known.names.keys()], known.sets.get(3)]).toEqual([['a', 'b'], { epoch: 'e.2', members: [10, 11] }]);
  known.done('closefd', '{"fdname":"a"}', '{}', 'e.2');
  known.used(['b', 'unknown']);
  known.done('remove-fd', '{"fdset-id":3,"fd":10}', '{}', 'e.2');
  expect([known.names.size, known.sets.get(3)?.members, known.isEmpty]).toEqual([0, [11], false]);
  known.done('remove-fd', '{"fdset-id":3,"fd":11}', '{}', 'e.2');
  known.done('remove-fd', '{"fdset-id":9}', '{}', 'e.2');
  expect(known.isEmpty).toBe(true);
});

it('takes nothing from answers that are none, and keeps only so much', () => {
  const known = new PassedDescriptors();
  for (const answer of ['', '[]', '{"fdset-id":"x","fd":1}', '{"fd":1}']) known.done('add-fd', '{}', answer, 'e');
  for (const args of ['{', '{"fdname":1}']) known.done('getfd', args, '{}', 'e');
  expect(known.isEmpty).toBe(true);
  for (let at = 0; at < 1000; at++) known.done('getfd', `{"fdname":"n${at}"}`, '{}', 'e');
  expect([known.names.size, known.names.has('n999'), known.names.has('n0')]).toEqual([256, true, false]);
});

it('learns which sets the VM has', () => {
  const known = passed();
  expect(setsIn(Buffer.from('[{"fdset-id":3,"fds":[]},{"fdset-id":4}]'))).toEqual(new Set([3, 4]));
  expect(setsIn(Buffer.from('{}'))).toBeUndefined();
  known.onlySets(new Set([4]));
  expect(known.sets.size).toBe(0);
});

it.each([
  ['{"type":"tap","fd":"a"}', ['a'], []],
  ['{"type":"tap","fds":"a:b:c","id":"a"}', ['a', 'b'], []],
  ['{"addr":{"type":"fd","str":"b"}}', ['b'], []],
  ['{"uri":"fd:a"}', ['a'], []],
  ['{"id":"a","fdname":"b","text":"fd:c"}', [], []],
  ['{"file":{"driver":"file","filename":"/dev/fdset/3"}}', [], [3]],
  ['{"list":["/dev/fdset/3","/dev/fdset/4","/dev/fdset/3x","x/dev/fdset/3"]}', [], [3]],
  ['{}', [], []],
])('finds them in arguments: %s', (json, names, sets) => {
  expect(uses(json)).toEqual({ names, sets });
});
