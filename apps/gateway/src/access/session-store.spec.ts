import { expect, it } from 'vitest';
import { Principal } from './principal.js';
import { SessionStore } from './session-store.js';

const hour = 3_600_000;
const owner = (id = 'token:a', stillValid = () => true, expires = Infinity) =>
  new Principal(id, id, { level: 'read', vms: ['web-*'] }, stillValid, expires);

it('stands for its owner for twelve hours', () => {
  let now = 0;
  const sessions = new SessionStore(() => now);
  const { value, maxAgeS } = sessions.create(owner());
  expect(maxAgeS).toBe(12 * 3600);
  const principal = sessions.authenticate(value);
  expect(principal).toMatchObject({ id: 'token:a', grant: { level: 'read', vms: ['web-*'] } });
  now = 12 * hour;
  expect(principal?.stillValid()).toBe(false);
  expect(sessions.authenticate(value)).toBeUndefined();
});

it('tells the whole life of a session, however long making it takes', () => {
  let now = 1_000_000;
  const sessions = new SessionStore(() => now++);
  expect(sessions.create(owner()).maxAgeS).toBe(12 * 3600);
  expect(sessions.create(owner('token:b', () => true, now + hour)).maxAgeS).toBe(3600);
});

it('ends with the credentials it was made with', () => {
  let valid = true;
  let now = 0;
  const sessions = new SessionStore(() => now);
  const revoked = sessions.create(owner('token:a', () => valid));
  const expiring = sessions.create(owner('token:b', () => true, hour));
  expect(expiring.maxAgeS).toBe(3600);
  valid = false;
  expect(sessions.authenticate(revoked.value)).toBeUndefined();
  now = hour;
  expect(sessions.authenticate(expiring.value)).toBeUndefined();
});

it.each(['', 'x', 'A'.repeat(43)])('knows nothing of %j', (value) => {
  const sessions = new SessionStore();
  sessions.create(owner());
  expect(sessions.authenticate(value)).toBeUndefined();
});

it('keeps a hundred of one principal, and costs others none', () => {
  const sessions = new SessionStore(() => 0);
  const other = sessions.create(owner('token:b'));
  const own = Array.from({ length: 101 }, () => sessions.create(owner()));
  expect(own.map(({ value }) => sessions.authenticate(value) !== undefined).filter((known) => !known)).toHaveLength(1);
  expect(sessions.authenticate(own[0]!.value)).toBeUndefined();
  expect(sessions.authenticate(other.value)).toBeDefined();
});
