import { ManualClock } from '@qmp-gateway/test-kit';
import { expect, it } from 'vitest';
import { Principal } from '../principal.js';
import { CookieStore } from './cookie-store.js';

const hour = 3_600_000;
const owner = (id = 'token:a', stillValid = () => true, expires = Infinity) =>
  new Principal(id, id, { level: 'read', vms: ['web-*'] }, { stillValid, expires });

it('stands for its owner for twelve hours', () => {
  const clock = new ManualClock();
  const cookies = new CookieStore(clock);
  const { value, maxAgeS } = cookies.create(owner());
  expect(maxAgeS).toBe(12 * 3600);
  const principal = cookies.authenticate(value);
  expect(principal).toMatchObject({ id: 'token:a', grant: { level: 'read', vms: ['web-*'] } });
  clock.advance(12 * hour);
  expect(principal?.stillValid()).toBe(false);
  expect(cookies.authenticate(value)).toBeUndefined();
});

it('tells the whole life of a cookie, however long making it takes', () => {
  const clock = new ManualClock();
  const wall = clock.wall.bind(clock);
  clock.wall = () => {
    clock.advance(1);
    return wall();
  };
  const cookies = new CookieStore(clock);
  expect(cookies.create(owner()).maxAgeS).toBe(12 * 3600);
  expect(cookies.create(owner('token:b', () => true, wall() + 1 + hour)).maxAgeS).toBe(3600);
});

it('ends with the credentials it was made with', () => {
  let valid = true;
  const clock = new ManualClock();
  const cookies = new CookieStore(clock);
  const revoked = cookies.create(owner('token:a', () => valid));
  const expiring = cookies.create(owner('token:b', () => true, clock.wall() + hour));
  expect(expiring.maxAgeS).toBe(3600);
  valid = false;
  expect(cookies.authenticate(revoked.value)).toBeUndefined();
  clock.advance(hour);
  expect(cookies.authenticate(expiring.value)).toBeUndefined();
});

it.each(['', 'x', 'A'.repeat(43)])('knows nothing of %j', (value) => {
  const cookies = new CookieStore();
  cookies.create(owner());
  expect(cookies.authenticate(value)).toBeUndefined();
});

it('keeps a hundred of one principal, and costs others none', () => {
  const cookies = new CookieStore(new ManualClock());
  const other = cookies.create(owner('token:b'));
  const own = Array.from({ length: 101 }, () => cookies.create(owner()));
  expect(own.map(({ value }) => cookies.authenticate(value) !== undefined).filter((known) => !known)).toHaveLength(1);
  expect(cookies.authenticate(own[0]!.value)).toBeUndefined();
  expect(cookies.authenticate(other.value)).toBeDefined();
});
