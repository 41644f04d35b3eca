import { ManualClock } from '@qmp-gateway/test-kit';
import { expect, it } from 'vitest';
import { Principal } from '../principal.js';
import { codeLifeMs, looksLikeCode, SignInCodes } from './sign-in-codes.js';

const grant = { level: 'operate', vms: ['web-*'] } as const;

it('lets in once, as whoever made the code', () => {
  const codes = new SignInCodes();
  const owner = new Principal('token:a', 'a', grant);
  const { code } = codes.create(owner);
  expect(looksLikeCode(code)).toBe(true);
  expect(codes.take(code)).toBe(owner);
  expect(codes.take(code)).toBeUndefined();
});

it('lets nobody in after a minute, nor once its owner may not', () => {
  const clock = new ManualClock();
  const codes = new SignInCodes(clock);
  const late = codes.create(new Principal('token:a', 'a', grant));
  expect(late.expires - clock.wall()).toBe(codeLifeMs);
  clock.advance(codeLifeMs);
  expect(codes.take(late.code)).toBeUndefined();
  let valid = true;
  const revoked = codes.create(new Principal('token:b', 'b', grant, { stillValid: () => valid }));
  valid = false;
  expect(codes.take(revoked.code)).toBeUndefined();
});

it('knows no code that it has not made, and keeps no more than a bound', () => {
  const codes = new SignInCodes();
  const owner = new Principal('token:a', 'a', grant);
  expect(codes.take('qmpgwc_guessed')).toBeUndefined();
  const all = Array.from({ length: 1_001 }, () => codes.create(owner).code);
  expect(codes.take(all[0] ?? '')).toBeUndefined();
  expect(codes.take(all[1] ?? '')).toBe(owner);
  expect(codes.take(all.at(-1) ?? '')).toBe(owner);
});
