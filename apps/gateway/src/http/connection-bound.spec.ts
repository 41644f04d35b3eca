import { describe, expect, it } from 'vitest';
import { connectionBound } from './connection-bound.js';

describe('connectionBound', () => {
  it.each([
    [10_000, 1_048_576, 10_000],
    [10_000, 1024, 736],
    [3, 1024, 3],
    [10_000, 16, 1],
  ])('%d wanted, %d descriptors: %d', (wanted, descriptors, bound) => {
    expect(connectionBound(wanted, descriptors)).toBe(bound);
  });

  it('reads the limit of this process', () => {
    expect(connectionBound(1_000_000_000)).toBeLessThan(1_000_000_000);
  });
});
