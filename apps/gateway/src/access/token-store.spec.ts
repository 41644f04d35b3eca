import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StateDirectory } from '../state/state-directory.js';
import { TokenStore } from './token-store.js';

const grant = { level: 'read', vms: ['*'] } as const;
let directory: string;
let now: number;
let store: TokenStore;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'qmpgw-'));
  now = Date.parse('2026-01-01T00:00:00Z');
  store = new TokenStore(new StateDirectory(directory), () => now);
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('a token that a connection shows again', () => {
  const connection = {};

  it('stands for the same principal, and another one for its own', () => {
    const [one, other] = [store.create(grant), store.create(grant)];
    const first = store.authenticate(one.token, connection);
    expect(first?.id).toBe(`token:${one.record.id}`);
    expect(store.authenticate(one.token, connection)).toBe(first);
    expect(store.authenticate(other.token, connection)?.id).toBe(`token:${other.record.id}`);
    expect(store.authenticate(`${one.token}x`, connection)).toBeUndefined();
    expect(store.authenticate(one.token, connection)).toBe(first);
  });

  it('counts no more once it is revoked', () => {
    const { token, record } = store.create(grant);
    expect(store.authenticate(token, connection)).toBeDefined();
    store.revoke(record.id);
    expect(store.authenticate(token, connection)).toBeUndefined();
  });

  it('counts no more once somebody else revoked it in the file', () => {
    const { token, record } = store.create(grant);
    expect(store.authenticate(token, connection)).toBeDefined();
    new TokenStore(new StateDirectory(directory)).revoke(record.id);
    store.reload();
    expect(store.authenticate(token, connection)).toBeUndefined();
  });

  it('counts no more once it expired', () => {
    const { token } = store.create({ ...grant, expires: new Date(now + 1000) });
    expect(store.authenticate(token, connection)).toBeDefined();
    now += 1000;
    expect(store.authenticate(token, connection)).toBeUndefined();
  });
});
