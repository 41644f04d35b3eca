import { readJson } from '@qmp-gateway/qapi';
import { describe, expect, it } from 'vitest';
import { descriptorsIn, PassedDescriptors, setsIn } from './passed-descriptors.js';

function passed() {
  const known = new PassedDescriptors();
  known.done('getfd', '{"fdname":"a"}', '{}', 'e.1');
  known.done('getfd', '{"fdname":"b"}', '{}', 'e.1');
  known.done('add-fd', undefined, '{"fdset-id":3,"fd":10}', 'e.1');
  known.done('add-fd', '{"fdset-id":3}', '{"fdset-id":3,"fd":11}', 'e.2');
  return known;
}

const members = (known: PassedDescriptors) => known.sets.get(3)?.descriptors.map(({ use, state }) => `${use} ${state}`);

const uses = (json: string, known = passed()) => descriptorsIn(readJson(Buffer.from(json)).root, known);

it('keeps what was given, until it is closed, removed or used up', () => {
  const known = passed();
  expect([...known.names.keys()]).toEqual(['a', 'b']);
  expect([known.sets.get(3)?.epoch, members(known)]).toEqual(['e.2', ['/dev/fdset/3 held', '/dev/fdset/3 held']]);
  known.done('closefd', '{"fdname":"a"}', '{}', 'e.2');
  known.used(['b', 'unknown']);
  known.done('remove-fd', '{"fdset-id":3,"fd":10}', '{}', 'e.2');
  expect([known.names.size, members(known)?.length, known.isEmpty]).toEqual([0, 1, false]);
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

it('reads which sets a VM has', () => {
  expect(setsIn(Buffer.from('[{"fdset-id":3,"fds":[]},{"fdset-id":4}]'))).toEqual(new Set([3, 4]));
  expect(setsIn(Buffer.from('{}'))).toBeUndefined();
});

describe('what became of a descriptor', () => {
  const getfd = (known: PassedDescriptors, name: string) =>
    known.done('getfd', JSON.stringify({ fdname: name }), '{}', 'e.1');
  const addFd = (known: PassedDescriptors, set: number, member: number) =>
    known.done('add-fd', undefined, JSON.stringify({ 'fdset-id': set, fd: member }), 'e.1');

  it('is told of those that are used up, closed, replaced or removed', () => {
    const known = new PassedDescriptors();
    const names = ['used', 'closed', 'replaced', 'kept'].map((name) => getfd(known, name));
    const inSets = [addFd(known, 1, 10), addFd(known, 1, 11), addFd(known, 2, 12), addFd(known, 2, 13)];
    known.used(['used']);
    known.done('closefd', '{"fdname":"closed"}', '{}', 'e.1');
    const replacing = getfd(known, 'replaced');
    known.done('remove-fd', '{"fdset-id":1,"fd":10}', '{}', 'e.1');
    known.done('remove-fd', '{"fdset-id":2}', '{}', 'e.1');
    expect(names.map((one) => one?.state)).toEqual(['used', 'removed', 'removed', 'held']);
    expect(replacing).toMatchObject({ use: 'replaced', state: 'held' });
    expect(inSets.map((one) => one?.state)).toEqual(['removed', 'held', 'removed', 'removed']);
  });

  it('is lost with the session for a name, and for a set when the VM says so', () => {
    const known = new PassedDescriptors();
    const [name, gone, there] = [getfd(known, 'a'), addFd(known, 1, 10), addFd(known, 2, 11)];
    expect(known.isUnsure).toBe(false);
    expect(known.sessionEnded(true)).toEqual(new Set([name, gone, there]));
    expect([name, gone, there].map((one) => one?.state)).toEqual(['lost', 'unknown', 'unknown']);
    expect([known.isUnsure, known.sessionEnded(true).size]).toEqual([true, 0]);
    expect(known.setsTold(new Set([2]))).toEqual(new Set([gone, there]));
    expect([name, gone, there].map((one) => one?.state)).toEqual(['lost', 'lost', 'held']);
    // A set of this number that is there later is somebody else's.
    expect([known.setsTold(new Set([1, 2])).size, gone?.state]).toEqual([0, 'lost']);
    // Commands that use them are refused still.
    expect([known.names.has('a'), known.sets.has(1), known.isUnsure]).toEqual([true, true, false]);
  });

  it('is lost for a set too where the VM cannot be asked', () => {
    const known = new PassedDescriptors();
    const set = addFd(known, 1, 10);
    known.sessionEnded(false);
    expect([set?.state, known.isUnsure]).toEqual(['lost', false]);
  });

  it('is unknown when so many came after it that it is not followed', () => {
    const known = new PassedDescriptors();
    const [name, set, member] = [getfd(known, 'first'), addFd(known, 1, 0), addFd(known, 1000, 0)];
    for (let at = 0; at < 256; at++) {
      getfd(known, `n${at}`);
      addFd(known, 1000, at);
    }
    expect([name?.state, member?.state, set?.state]).toEqual(['unknown', 'unknown', 'held']);
    for (let at = 0; at < 256; at++) addFd(known, 2000 + at, at);
    expect(set?.state).toBe('unknown');
    expect([known.names.size, known.sets.size]).toEqual([256, 256]);
  });
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
