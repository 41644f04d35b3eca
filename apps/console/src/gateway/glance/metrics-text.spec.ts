import { expect, it } from 'vitest';
import { readMetrics, sumOf, sumsBy } from './metrics-text.js';

const metrics = readMetrics(`# HELP a_total Things.
# TYPE a_total counter
a_total{kind="x",name="one"} 3
a_total{kind="x",name="t\\"w\\\\o\\n"} 4
a_total{kind="y",name="one"} 1e3
b 2.5 1700000000000
c{le="+Inf"} +Inf
not a metric
`);

it('reads samples with their labels, escapes included', () => {
  expect(metrics.get('a_total')?.[1]).toEqual({ labels: { kind: 'x', name: 't"w\\o\n' }, value: 4 });
  expect(sumOf(metrics, 'b')).toBe(2.5);
  expect(sumOf(metrics, 'c')).toBe(Infinity);
  expect([...metrics.keys()]).toEqual(['a_total', 'b', 'c']);
});

it('sums what has some labels, and by the value of one', () => {
  expect(sumOf(metrics, 'a_total', { kind: 'x' })).toBe(7);
  expect(sumOf(metrics, 'missing')).toBe(0);
  expect(sumsBy(metrics, 'a_total', 'kind')).toEqual([
    ['y', 1000],
    ['x', 7],
  ]);
});
