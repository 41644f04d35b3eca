import { describe, expect, it } from 'vitest';
import { nearestNames } from './nearest.js';

const commands = [
  'query-status',
  'query-stats',
  'query-block',
  'query-blockstats',
  'device_add',
  'device_del',
  'stop',
  'cont',
  'quit',
];

describe('nearestNames', () => {
  it.each([
    ['query_status', 'query-status'],
    ['QueryStatus', 'query-status'],
    ['query-sttaus', 'query-status'],
    ['qurey-block', 'query-block'],
    ['block-query', 'query-block'],
    ['device-add', 'device_add'],
    ['deviceAdd', 'device_add'],
    ['query-blocks', 'query-block'],
    ['sotp', 'stop'],
    ['query-blocksta', 'query-blockstats'],
  ])('%s -> %s', (name, nearest) => {
    expect(nearestNames(name, commands)[0]).toBe(nearest);
  });

  it.each(['', 'x', 'migrate', 'frobnicate', 'go', '__proto__'])('offers nothing for %j', (name) => {
    expect(nearestNames(name, commands)).toEqual([]);
  });

  it('does not compare what no name is as long as', () => {
    expect(nearestNames('query-status'.repeat(10_000), commands)).toEqual([]);
    expect(nearestNames('query-status', ['query-status'.repeat(10_000)])).toEqual([]);
  });

  it('gives at most as many as asked for, the nearest first', () => {
    expect(nearestNames('query-stat', commands)).toEqual(['query-stats', 'query-status']);
    expect(nearestNames('query-stat', commands, 1)).toEqual(['query-stats']);
  });

  it('does not hold one short name for another', () => {
    expect(nearestNames('up', ['id', 'cpu', 'ip'])).toEqual([]);
    expect(nearestNames('ID', ['id'])).toEqual(['id']);
  });
});
