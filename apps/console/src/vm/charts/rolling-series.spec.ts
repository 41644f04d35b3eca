import { expect, it } from 'vitest';
import { RollingSeries } from './rolling-series.js';

const values = (entries: Record<string, number | null>) => new Map(Object.entries(entries));

it('keeps the newest moments, with holes where a line has no value', () => {
  const series = new RollingSeries(3);
  series.add(1, values({ read: 1 }));
  series.add(2, values({ read: 2, write: 20 }));
  series.add(3, values({ write: 30 }));
  expect(series.columns()).toEqual([
    [1, 2, 3],
    [1, 2, null],
    [null, 20, 30],
  ]);
  series.add(4, values({ read: null, write: 40 }));
  expect(series.columns()).toEqual([
    [2, 3, 4],
    [2, null, null],
    [20, 30, 40],
  ]);
  expect([series.last('read'), series.last('write'), series.last('other')]).toEqual([null, 40, null]);
});

it('drops a line that has left the picture', () => {
  const series = new RollingSeries(2);
  series.add(1, values({ unplugged: 1, disk: 1 }));
  series.add(2, values({ disk: 2 }));
  expect(series.names).toEqual(['unplugged', 'disk']);
  series.add(3, values({ disk: 3 }));
  expect(series.names).toEqual(['disk']);
  expect(series.columns()).toEqual([
    [2, 3],
    [2, 3],
  ]);
});
