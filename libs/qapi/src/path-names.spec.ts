import { describe, expect, it } from 'vitest';
import { pathNames, uniqueNames, upperCamel } from './path-names.js';

describe('upperCamel', () => {
  it.each([
    ['query-block', 'QueryBlock'],
    ['device_add', 'DeviceAdd'],
    ['BLOCK_IO_ERROR', 'BlockIoError'],
    ['x-bps-read', 'XBpsRead'],
    ['__com.example_drive-x', 'ComExampleDriveX'],
    ['qcow2', 'Qcow2'],
    ['vmState', 'VmState'],
    ['', ''],
  ])('%j -> %j', (name, camel) => {
    expect(upperCamel(name)).toBe(camel);
  });
});

describe('uniqueNames', () => {
  it('numbers what is taken', () => {
    const unique = uniqueNames(['A', 'B2']);
    expect(['A', 'A', 'B', 'B', 'B', 'A2'].map(unique)).toEqual(['A2', 'A3', 'B', 'B3', 'B4', 'A22']);
  });
});

describe('pathNames', () => {
  it('prefers a short path to an early one', () => {
    const steps: Record<string, { step: string; type: string }[]> = {
      a: [{ step: 'x', type: 'c' }],
      b: [{ step: 'y', type: 'd' }],
      c: [
        { step: 'z', type: 'd' },
        { step: '', type: 'a' },
      ],
    };
    const graph = { isNameless: (type: string) => type !== 'b', steps: (type: string) => steps[type] ?? [] };
    const names = pathNames(
      [
        { path: 'One', type: 'a' },
        { path: 'Two', type: 'b' },
      ],
      graph,
    );
    expect([...names]).toEqual([
      ['a', 'One'],
      ['b', undefined],
      ['c', 'OneX'],
      ['d', 'TwoY'],
    ]);
  });
});
