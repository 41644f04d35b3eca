import { ManualClock } from '@qmp-gateway/test-kit';
import { expect, it } from 'vitest';
import { Principal } from '../principal.js';
import { codeLifeMs, looksLikeCode, mostOfOne, SignInCodes } from './sign-in-codes.js';

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
  const owners = Array.from({ length: 1_001 }, (_, at) => new Principal(`token:${at}`, 'a', grant));
  expect(codes.take('qmpgwc_guessed')).toBeUndefined();
  const all = owners.flatMap((owner) => Array.from({ length: mostOfOne }, () => codes.create(owner).code));
  expect(codes.take(all[0] ?? '')).toBeUndefined();
  expect(codes.take(all[mostOfOne] ?? '')).toBe(owners[1]);
  expect(codes.take(all.at(-1) ?? '')).toBe(owners.at(-1));
});

it('ends nobody else by making many: those of one principal are few, and the oldest of them ends', () => {
  const codes = new SignInCodes();
  const [other, greedy] = [new Principal('token:a', 'a', grant), new Principal('token:b', 'b', grant)];
  const { code } = codes.create(other);
  const many = Array.from({ length: 20_000 }, () => codes.create(greedy).code);
  expect(codes.take(code)).toBe(other);
  expect(many.filter((one) => codes.take(one) !== undefined)).toEqual(many.slice(-mostOfOne));
});
