import { ManualClock } from '@qmp-gateway/test-kit';
import { expect, it } from 'vitest';
import { RequestLimiter } from './request-limiter.js';

it('lets a burst through, refuses the next, and fills up with time', () => {
  const clock = new ManualClock();
  const limiter = new RequestLimiter(2, clock);
  expect(limiter.take('a')).toEqual({
    headers: { 'RateLimit-Limit': '2', 'RateLimit-Remaining': '1', 'RateLimit-Reset': '1' },
  });
  expect(limiter.take('a').headers['RateLimit-Remaining']).toBe('0');
  const { refusal, headers } = limiter.take('a');
  expect(refusal).toMatchObject({ code: 'too-many-requests', headers: { 'Retry-After': '1' } });
  expect(headers).toEqual({ 'RateLimit-Limit': '2', 'RateLimit-Remaining': '0', 'RateLimit-Reset': '1' });
  expect(limiter.take('b').refusal).toBeUndefined();
  clock.advance(500);
  expect(limiter.take('a').refusal).toBeUndefined();
  expect(limiter.take('a').refusal).toBeDefined();
  clock.advance(59_500);
  expect(limiter.take('a').headers['RateLimit-Remaining']).toBe('1');
});
