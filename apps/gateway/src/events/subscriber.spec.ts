import { expect, it } from 'vitest';
import { ndjson } from './encodings.js';
import { ownFrame } from './subscriber.js';

it('a frame that waits for a slow reader holds no memory but its own, and is copied once for all of them', () => {
  const frame = ndjson.frame('{"event":"STOP"}', 'cursor');
  const item = { n: 1, vm: 'a', bytes: frame.length, frame, events: 1 };
  const kept = ownFrame(item).frame;
  expect([kept.toString(), kept.buffer.byteLength]).toEqual(['{"event":"STOP"}\n', frame.length]);
  expect(ownFrame(item).frame).toBe(kept);
});
