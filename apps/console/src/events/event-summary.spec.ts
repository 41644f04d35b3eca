import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { summaryOf } from './event-summary.js';

describe('the line of an event', () => {
  it('has its data, exact where it is wide', () => {
    const data = { device: 'drive0', len: 18446744073709551615n, speed: 0, nested: { a: [1, { b: { c: 1 } }] } };
    expect(summaryOf({ event: 'BLOCK_JOB_COMPLETED', data })).toBe(
      'device: drive0 · len: 18446744073709551615 · speed: 0 · nested: {a: [1, …]}',
    );
    expect(summaryOf({ event: 'STOP', data: {} })).toBe('');
  });

  it("has what matters of the gateway's own", () => {
    const data = { id: 'a', state: 'ready', runState: 'running', health: 'ok', epoch: null, labels: {} };
    expect(summaryOf({ event: 'vm-changed', data })).toBe('state: ready · runState: running · health: ok');
  });

  it('is short whatever the data', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, maxDepth: 6 }), (data) => {
        expect(summaryOf({ event: 'X', data }).length).toBeLessThanOrEqual(401);
      }),
    );
    expect(summaryOf({ event: 'X', data: { text: 'x'.repeat(1e6) } }).length).toBeLessThan(200);
  });
});
