import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseConnection } from './connection.js';
import { LoginFile } from './login-file.js';

let directory: string;
beforeEach(() => (directory = mkdtempSync(path.join(tmpdir(), 'login-'))));
afterEach(() => rmSync(directory, { recursive: true }));

const environment = (more: Record<string, string> = {}): NodeJS.ProcessEnv => ({ XDG_CONFIG_HOME: directory, ...more });
const logins = (): LoginFile => new LoginFile(environment());

describe('the file of logins', () => {
  it('is for its owner alone, and holds a token for each gateway', () => {
    logins().keep('http://a', { token: 'one' });
    logins().keep('http://b', { token: 'two', ca: '/ca.pem' });
    expect(statSync(logins().path).mode & 0o777).toBe(0o600);
    expect(logins().current).toBe('http://b');
    expect([logins().of('http://a'), logins().of('http://b'), logins().of('constructor')]).toEqual([
      { token: 'one' },
      { token: 'two', ca: '/ca.pem' },
      {},
    ]);
    expect([logins().forget('http://b'), logins().forget('http://b'), logins().current]).toEqual([
      true,
      false,
      undefined,
    ]);
  });

  it('is not used where others may read it, nor where it is damaged', () => {
    logins().keep('http://a', { token: 'one' });
    chmodSync(logins().path, 0o640);
    expect(() => logins().current).toThrow('others may read it');
    chmodSync(logins().path, 0o600);
    writeFileSync(logins().path, '{');
    expect(() => logins().current).toThrow('cannot be read');
  });
});

describe('the connection', () => {
  it('is chosen by options before the environment before the login', () => {
    logins().keep('http://a', { token: 'one', ca: '/a.pem' });
    logins().keep('http://b', { token: 'two' });
    const choose = (flags: object, more: Record<string, string> = {}): unknown[] => {
      const { address, token, ca } = chooseConnection(flags, environment(more));
      return [address.text, token, ca];
    };
    expect(choose({})).toEqual(['http://b', 'two', undefined]);
    expect(choose({ url: 'http://a/' })).toEqual(['http://a', 'one', '/a.pem']);
    expect(choose({}, { QMPGW_URL: 'http://a' })).toEqual(['http://a', 'one', '/a.pem']);
    expect(choose({}, { QMPGW_TOKEN: 'given' })).toEqual(['http://b', 'given', undefined]);
    expect(choose({ url: 'http://c' }, { QMPGW_URL: 'http://a' })).toEqual(['http://c', undefined, undefined]);
    expect(choose({ ca: '/mine.pem', url: 'http://a' })).toEqual(['http://a', 'one', '/mine.pem']);
  });

  it('needs no home where the environment says all', () => {
    writeFileSync(path.join(directory, 'qmp-gateway'), 'no directory');
    const { token } = chooseConnection({}, environment({ QMPGW_URL: 'http://a', QMPGW_TOKEN: 't' }));
    expect(token).toBe('t');
  });

  it('is none where nothing says which', () => {
    expect(() => chooseConnection({}, environment({ QMPGW_URL: ' ' }))).toThrow('no gateway is known');
  });
});
