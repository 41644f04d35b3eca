import { describe, expect, it } from 'vitest';
import { valueNodes } from './value-tree.js';

describe('a value as a tree', () => {
  it('has its members in order, exact', () => {
    const nodes = valueNodes({ device: 'a<b>', big: 18446744073709551615n, list: [1, { deep: null }], none: {} });
    expect(nodes.map(({ name, text, size }) => [name, text, size])).toEqual([
      ['device', '"a<b>"', 0],
      ['big', '18446744073709551615', 0],
      ['list', undefined, 2],
      ['none', '{}', 0],
    ]);
    expect(nodes[2]?.children[1]?.children[0]).toEqual({
      ...{ id: '$/list/1/deep', name: 'deep', text: 'null', size: 0, children: [] },
    });
  });

  it('says how many there are of too many', () => {
    const nodes = valueNodes(Array.from({ length: 1000 }, (_, index) => index));
    expect([nodes.length, nodes.at(-1)?.text]).toEqual([201, '800 more']);
  });

  it('cuts a text that is too long to read, and says how long it is', () => {
    const text = valueNodes({ long: 'x'.repeat(100_000) })[0]?.text ?? '';
    expect([text.length < 2100, text.endsWith('… (100000 characters)')]).toEqual([true, true]);
  });

  it('ends at a depth', () => {
    let value: unknown = 1;
    for (let depth = 0; depth < 5000; depth++) value = [value];
    expect(() => valueNodes(value)).not.toThrow();
  });
});
