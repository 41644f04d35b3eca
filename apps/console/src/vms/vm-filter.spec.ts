import { expect, it } from 'vitest';
import { vmRow } from '../api/vm.scene.js';
import { countsOf, filterVms, labelsOf, readFilter, statesOf, writeFilter } from './vm-filter.js';

const vms = [
  vmRow('web-17', { name: 'Shop', labels: { tier: 'web' }, health: 'unresponsive' }),
  vmRow('db-1', { labels: { tier: 'db', note: 'a=b' } }),
  vmRow('web-2', { labels: { tier: 'web' }, runState: 'paused' }),
];
const ids = (query: string) => filterVms(vms, readFilter(new URLSearchParams(query))).map(({ id }) => id);

it('finds VMs by all words anywhere, in any letters', () => {
  expect(ids('q=WEB')).toEqual(['web-17', 'web-2']);
  expect(ids('q=web shop')).toEqual(['web-17']);
  expect(ids('q=tier%3Ddb')).toEqual(['db-1']);
  expect(ids('')).toEqual(['web-17', 'db-1', 'web-2']);
});

it('filters by any of some states and all of some labels, also with = in the value', () => {
  expect(ids('state=Hangs')).toEqual(['web-17']);
  expect(ids('state=Hangs&state=Paused')).toEqual(['web-17', 'web-2']);
  expect(ids('label=note%3Da%3Db')).toEqual(['db-1']);
  expect(ids('label=tier%3Dweb&state=Running')).toEqual([]);
  expect(ids('label=__proto__%3Dx')).toEqual([]);
});

it('is the same after it was in the address, and leaves the rest of that alone', () => {
  const filter = { text: 'a b', states: ['Hangs'], labels: ['x=1', 'y=2'] };
  const query = writeFilter(filter, new URLSearchParams('screens=yes&q=old'));
  expect(readFilter(query)).toEqual(filter);
  expect(query.get('screens')).toBe('yes');
});

it('counts values, the most frequent first', () => {
  expect(countsOf(vms, labelsOf)[0]).toEqual({ value: 'tier=web', count: 2 });
  expect(countsOf(vms, statesOf).map(({ value }) => value)).toEqual(['Hangs', 'Paused', 'Running']);
  expect(countsOf(vms, labelsOf, 1)).toHaveLength(1);
});
