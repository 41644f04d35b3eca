import { describe, expect, it } from 'vitest';
import { readTraceparent } from './traceparent.js';

const ids = '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331';

describe('traceparent', () => {
  it.each([
    [`00-${ids}-01`, `00-${ids}-01`],
    [`cc-${ids}-01`, `cc-${ids}-01`],
    [`cc-${ids}-01-what-comes-later`, `cc-${ids}-01`],
  ])('%s is taken', (header, taken) => {
    expect(readTraceparent(header)).toBe(taken);
  });

  it.each([
    ['none', undefined],
    ['another version with more', `00-${ids}-01-more`],
    ['version ff', `ff-${ids}-01`],
    ['no trace', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
    ['no parent', `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`],
    ['upper case', `00-${ids.toUpperCase()}-01`],
    ['short', `00-${ids.slice(1)}-01`],
    ['two of them', `00-${ids}-01, 00-${ids}-01`],
    ['more than it may be', `cc-${ids}-01-${'x'.repeat(300)}`],
    ['line ends', `cc-${ids}-01-\n`],
    ['empty', ''],
  ])('%s is ignored', (_, header) => {
    expect(readTraceparent(header)).toBeUndefined();
  });
});
