import { describe, expect, it } from 'vitest';
import { returnValue } from './commands.js';
import { gatewayEvent } from './events.js';
import { widenIntegers, type IntegerTable } from './wide-integers.js';

const table: IntegerTable = {
  commands: {},
  events: {},
  nodes: [
    'integer',
    'float',
    // A tree that contains itself, a list, a union and an alternate.
    { members: { size: 0, rate: 1, children: 3, kind: 5 } },
    { list: 2 },
    { members: { size: 0 } },
    { oneOf: [0, 4] },
    { members: { base: 0 }, tag: 'type', cases: { wide: 4 } },
  ],
};

describe('widenIntegers', () => {
  it('makes every integer of a wide type a bigint, however small, and leaves the others', () => {
    const value = { size: 1, width: 1, rate: 3n, children: [{ size: 2n, children: [{ size: 3 }] }] };
    expect(widenIntegers(value, table, 2)).toEqual({
      size: 1n,
      width: 1,
      rate: 3,
      children: [{ size: 2n, children: [{ size: 3n }] }],
    });
  });

  it('takes the branch of an alternate that the value is of', () => {
    expect(widenIntegers({ kind: 1 }, table, 2)).toEqual({ kind: 1n });
    expect(widenIntegers({ kind: { size: 1 } }, table, 2)).toEqual({ kind: { size: 1n } });
    expect(widenIntegers({ kind: 'a' }, table, 2)).toEqual({ kind: 'a' });
  });

  it('takes the case of a union that its tag names', () => {
    expect(widenIntegers({ type: 'wide', base: 1, size: 1 }, table, 6)).toEqual({ type: 'wide', base: 1n, size: 1n });
    expect(widenIntegers({ type: 'other', base: 1, size: 1 }, table, 6)).toEqual({ type: 'other', base: 1n, size: 1 });
    expect(widenIntegers({ type: 'constructor', size: 1 }, table, 6)).toEqual({ type: 'constructor', size: 1 });
  });

  it.each([[null], ['a'], [true], [[1]], [{ size: 'no', children: {} }]])(
    'leaves %j, which is of another type',
    (value) => {
      expect(widenIntegers(structuredClone(value), table, 2)).toEqual(value);
    },
  );
});

describe('the generated table', () => {
  it('knows the returns of commands', () => {
    const [thread] = returnValue('query-iothreads', [{ id: 'a', 'thread-id': 12, 'poll-max-ns': 32768 }]);
    expect(thread).toEqual({ id: 'a', 'thread-id': 12n, 'poll-max-ns': 32768n });
  });

  it('knows unions inside alternates inside lists', () => {
    const stats = {
      provider: 'kvm',
      stats: [
        { name: 'exits', value: 7 },
        { name: 'histogram', value: [1, 2] },
      ],
    };
    expect(returnValue('query-stats', [stats])).toEqual([
      {
        provider: 'kvm',
        stats: [
          { name: 'exits', value: 7n },
          { name: 'histogram', value: [1n, 2n] },
        ],
      },
    ]);
  });

  it('knows the data of events, and leaves those it does not know', () => {
    const event = { event: 'BALLOON_CHANGE', data: { actual: 1024 } };
    expect(gatewayEvent(event)).toEqual({ event: 'BALLOON_CHANGE', data: { actual: 1024n } });
    expect(gatewayEvent({ event: 'constructor', data: { actual: 1 } })).toEqual({
      event: 'constructor',
      data: { actual: 1 },
    });
    expect(returnValue('__com.example_x', { a: 1, b: 2n ** 60n })).toEqual({ a: 1, b: 2n ** 60n });
  });
});
