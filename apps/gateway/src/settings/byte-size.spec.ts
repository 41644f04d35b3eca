import { describe, expect, it } from 'vitest';
import { parseByteSize } from './byte-size.js';

describe('a size', () => {
  it.each([
    [0, 0],
    ['0', 0],
    [65536, 65536],
    ['65536', 65536],
    ['64KiB', 65536],
    ['1MiB', 2 ** 20],
    ['2GiB', 2 ** 31],
  ])('%j is %i bytes', (text, bytes) => {
    expect(parseByteSize(text)).toBe(bytes);
  });

  it.each([-1, 1.5, NaN, 2 ** 53, '', '-1', '1KB', '1 MiB', '1mib', '1.5MiB', 'MiB', '1constructor', null, [1], {}])(
    '%j is none',
    (value) => {
      expect(parseByteSize(value)).toBeUndefined();
    },
  );
});
