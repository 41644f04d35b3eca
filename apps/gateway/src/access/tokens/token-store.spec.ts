import { ManualClock } from '@qmp-gateway/test-kit';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { StateDirectory } from '../../state/state-directory.js';
import { TokenStore } from './token-store.js';

const grant = { level: 'read', vms: ['*'] } as const;
let directory: string;
let clock: ManualClock;
let store: TokenStore;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'qmpgw-'));
  clock = new ManualClock();
  store = new TokenStore(new StateDirectory(directory), clock);
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

  it('is remembered in memory of its own, not in a slice of the pool of Node', () => {
    const own = vi.spyOn(Buffer, 'allocUnsafeSlow');
    onTestFinished(() => own.mockRestore());
    const { token } = store.create(grant);
    for (let time = 0; time < 2; time++) expect(store.authenticate(token, connection)).toBeDefined();
    expect(own).toHaveBeenCalledExactlyOnceWith(Buffer.from('x'.repeat(32)).toString('base64url').length);
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

  it('counts no more a second after somebody else revoked it, without being told', () => {
    const { token, record } = store.create(grant);
    expect(store.authenticate(token, connection)).toBeDefined();
    new TokenStore(new StateDirectory(directory)).revoke(record.id);
    clock.advance(1000);
    expect(store.authenticate(token, connection)).toBeUndefined();
  });

  it('counts no more once it expired', () => {
    const { token } = store.create({ ...grant, expires: new Date(clock.wall() + 1000) });
    expect(store.authenticate(token, connection)).toBeDefined();
    clock.advance(1000);
    expect(store.authenticate(token, connection)).toBeUndefined();
  });
});
