import { makeTempDir, ManualClock, removeTempDir } from '@qmp-gateway/test-kit';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StateDirectory } from '../../state/state-directory.js';
import { AuditLog } from '../audit/audit-log.js';
import type { CredentialSettings } from '../credentials/host-without-token.js';
import type { Principal } from '../principal.js';
import { TokenAdministration } from './token-administration.js';
import { TokenRequest } from './token-shapes.js';
import { TokenStore, type NewToken } from './token-store.js';

const start = Date.parse('2026-01-01T00:00:00Z');
const hour = 3_600_000;
const tokensOnly: CredentialSettings = { auth: 'token', allowHost: false, listen: [], clientCertificates: [] };
const quiet = { auditUnwritable: () => undefined, auditWritable: () => undefined };
let directory: string;
let audit: AuditLog;
let store: TokenStore;
let tokens: TokenAdministration;
let clock: ManualClock;

beforeEach(() => {
  directory = makeTempDir();
  clock = new ManualClock(start);
  store = new TokenStore(new StateDirectory(directory), clock);
  audit = new AuditLog(directory, { file: 'audit.log', required: false }, quiet);
  tokens = new TokenAdministration(store, audit, tokensOnly, clock);
});
afterEach(async () => {
  await audit.close();
  removeTempDir(directory);
});

const wanted = (members: Partial<TokenRequest>) => Object.assign(new TokenRequest(), members);
const principal = (grant: NewToken): Principal => {
  const found = store.authenticate(store.create(grant).token);
  if (found === undefined) throw new Error('a new token does not work');
  return found;
};
const root = () => principal({ level: 'host', vms: ['*'] });
const operator = () =>
  principal({
    level: 'operate',
    vms: ['web-*'],
    commands: { deny: ['quit'] },
    expires: new Date(start + hour),
  });

describe('one principal below level host', () => {
  it('has so many tokens, however long the chain of makers; what has expired makes room, the others are untouched', () => {
    const maker = () => principal({ level: 'read', vms: ['*'] });
    const first = maker();
    const make = (by: Principal, expires = '1h') => tokens.create(by, undefined, wanted({ level: 'read', expires }));
    const holder = (token: string) => store.authenticate(token) ?? first;
    const made = make(first);
    // As if it had gone on so.
    const pattern = store.get(made.id)!;
    const added = Array.from({ length: 496 }, (_, at) => ({ ...pattern, id: `more${at}` }));
    store.take({ added, revoked: [], told: [] });
    const child = holder(made.token);
    const signedIn = holder(tokens.signIn(child, undefined).token);
    make(child, '30m');
    make(signedIn, '30m');
    for (const by of [first, child, signedIn]) {
      expect(() => make(by, '1m')).toThrow(expect.objectContaining({ code: 'too-many-requests' }));
      expect(() => tokens.signIn(by, undefined)).toThrow(expect.objectContaining({ code: 'too-many-requests' }));
    }
    // A maker that is gone leaves its tokens where they are counted.
    tokens.revoke(first, undefined, made.id);
    make(signedIn, '30m');
    expect(() => make(signedIn, '1m')).toThrow(expect.objectContaining({ code: 'too-many-requests' }));
    make(maker());
    make(root());
    clock.advance(hour);
    make(first);
    expect(tokens.list(first)).toHaveLength(2);
  });

  it('is signed in with one write, however many of its sign-ins have expired', () => {
    const owner = principal({ level: 'read', vms: ['*'] });
    for (let made = 0; made < 20; made++) tokens.signIn(owner, undefined);
    clock.advance(13 * hour);
    const write = vi.spyOn(StateDirectory.prototype, 'write');
    tokens.signIn(owner, undefined);
    expect(write.mock.calls.length).toBeLessThanOrEqual(2);
    write.mockRestore();
    expect(tokens.list(owner).map(({ name }) => name)).toContain('console');
    expect(tokens.list(owner)).toHaveLength(2);
  });
});

describe('making a token', () => {
  it('gives what was asked for, and the token works at once', () => {
    const { token, ...view } = tokens.create(
      root(),
      { requestId: 'r1' },
      wanted({ name: 'dash', level: 'read', vms: ['web-*'], expires: '30d' }),
    );
    expect(view).toMatchObject({
      name: 'dash',
      level: 'read',
      vms: ['web-*'],
      expires: '2026-01-31T00:00:00.000Z',
    });
    expect(token).toMatch(/^qmpgw_[a-z0-9]+_[A-Za-z0-9_-]+$/);
    expect(store.authenticate(token)?.grant).toMatchObject({ level: 'read', vms: ['web-*'] });
    clock.advance(30 * 24 * hour);
    expect(store.authenticate(token)).toBeUndefined();
  });

  it.each([
    ['level', { level: 'configure' }],
    ['scope', { level: 'read', vms: ['*'] }],
    ['expiry', { level: 'read', expires: '61m' }],
  ] as const)('never above its maker: %s', (_what, request) => {
    expect(() =>
      tokens.create(
        operator(),
        { requestId: 'r1' },
        wanted({ ...request, vms: 'vms' in request ? [...request.vms] : undefined }),
      ),
    ).toThrow(expect.objectContaining({ code: 'forbidden' }));
  });

  it("inherits its maker's scope, expiry and commands where nothing else is said", () => {
    const { token, vms, expires } = tokens.create(operator(), { requestId: 'r1' }, wanted({ level: 'read' }));
    expect({ vms, expires }).toEqual({ vms: ['web-*'], expires: '2026-01-01T01:00:00.000Z' });
    expect(store.authenticate(token)?.grant.commands).toEqual({ deny: ['quit'] });
  });

  it('takes rules of its own: commands and endpoints within those of its maker', () => {
    const maker = principal({
      ...{ level: 'configure', vms: ['web-*'], endpoints: ['unix:/run/qemu/*'] },
      commands: { allow: ['query-*', 'stop'], deny: ['query-uuid'] },
    });
    const made = tokens.create(
      maker,
      { requestId: 'r1' },
      wanted({
        ...{ level: 'configure', endpoints: ['unix:/run/qemu/web-*'] },
        commands: { allow: ['query-st*'], deny: ['query-stats'] },
      }),
    );
    expect(made).toMatchObject({
      commands: { allow: ['query-st*'], deny: ['query-uuid', 'query-stats'] },
      endpoints: ['unix:/run/qemu/web-*'],
    });
    expect(store.authenticate(made.token)?.grant).toMatchObject({
      commands: { allow: ['query-st*'], deny: ['query-uuid', 'query-stats'] },
      endpoints: ['unix:/run/qemu/web-*'],
    });
    const refused = expect.objectContaining({ code: 'forbidden' });
    for (const wider of [
      { commands: { allow: ['*'] } },
      { commands: { allow: ['query-status', 'cont'] } },
      { endpoints: ['unix:/run/*'] },
      { endpoints: ['tcp:10.0.0.1:4444'] },
    ])
      expect(() => tokens.create(maker, { requestId: 'r1' }, wanted({ level: 'read', ...wider }))).toThrow(refused);
    // Nobody registers VMs by inheritance; level host may let others do it anywhere.
    expect(tokens.create(maker, { requestId: 'r1' }, wanted({ level: 'configure' })).endpoints).toBeUndefined();
    expect(
      tokens.create(root(), { requestId: 'r1' }, wanted({ level: 'configure', endpoints: ['*'] })).endpoints,
    ).toEqual(['*']);
    expect(() => tokens.create(operator(), { requestId: 'r1' }, wanted({ level: 'read', endpoints: ['*'] }))).toThrow(
      refused,
    );
  });

  it('is no way for level host to reach VMs outside its own', () => {
    const tenant = principal({ level: 'host', vms: ['label:tenant=a'] });
    expect(() => tokens.create(tenant, { requestId: 'r1' }, wanted({ level: 'read', vms: ['*'] }))).toThrow(/outside/);
  });
});

const idOf = ({ id }: Principal) => id.slice('token:'.length);
const last = expect.objectContaining({ code: 'last-credentials', status: 409 }) as unknown;

describe('the last token of level host', () => {
  it('is not revoked by its holder, until another one exists that has not expired', () => {
    const host = root();
    operator();
    const brief = principal({ level: 'host', vms: ['*'], expires: new Date(start + hour) });
    clock.advance(hour);
    expect(brief.stillValid()).toBe(false);
    expect(() => tokens.revoke(host, undefined, idOf(host))).toThrow(last);
    expect(host.stillValid()).toBe(true);
    tokens.revoke(host, undefined, idOf(brief));
    const other = root();
    tokens.revoke(host, undefined, idOf(host));
    expect(host.stillValid()).toBe(false);
    expect(() => tokens.revoke(other, undefined, idOf(other))).toThrow(last);
  });

  it.each<[string, Partial<CredentialSettings>]>([
    ['everybody', { auth: 'none', allowHost: true }],
    ['client certificates', { clientCertificates: [{ subject: 'CN=ops', level: 'host', vms: ['*'] }] }],
    ['a unix socket', { listen: [{ kind: 'unix', path: '/run/gateway.sock', level: 'host' }] }],
    [
      'JSON Web Tokens',
      {
        jwt: {
          ...{ issuer: 'https://id.example', audience: 'gateway', jwks: '/keys.json', algorithms: ['ES256'] },
          ...{ levelClaim: 'level', vmsClaim: 'vms' },
        },
      },
    ],
  ])('is revoked where the settings give %s level host', (_what, settings) => {
    const host = root();
    new TokenAdministration(store, audit, { ...tokensOnly, ...settings }, clock).revoke(host, undefined, idOf(host));
    expect(host.stillValid()).toBe(false);
  });

  it.each<[string, Partial<CredentialSettings>]>([
    ['client certificates', { clientCertificates: [{ subject: 'CN=ops', level: 'configure', vms: ['*'] }] }],
    ['a unix socket', { listen: [{ kind: 'unix', path: '/run/gateway.sock', level: 'read' }] }],
    ['a unix socket without a level', { listen: [{ kind: 'unix', path: '/run/gateway.sock' }] }],
  ])('is not revoked where they give %s less', (_what, settings) => {
    const host = root();
    const administration = new TokenAdministration(store, audit, { ...tokensOnly, ...settings }, clock);
    expect(() => administration.revoke(host, undefined, idOf(host))).toThrow(last);
  });
});

describe('managing', () => {
  it('is of all tokens for level host, of the own ones for others', () => {
    const host = root();
    const first = operator();
    const second = operator();
    const child = tokens.create(first, { requestId: 'r1' }, wanted({ level: 'read' }));
    const ids = (who: Principal) => tokens.list(who).map(({ id }) => `token:${id}`);
    expect(ids(first).sort()).toEqual([first.id, `token:${child.id}`].sort());
    expect(ids(second)).toEqual([second.id]);
    expect(ids(host)).toHaveLength(4);
    expect(() => tokens.revoke(second, { requestId: 'r1' }, child.id)).toThrow(
      expect.objectContaining({ status: 404 }),
    );
    expect(store.authenticate(child.token)).toBeDefined();
    tokens.revoke(first, { requestId: 'r1' }, child.id);
    expect(store.authenticate(child.token)).toBeUndefined();
    tokens.revoke(host, { requestId: 'r1' }, second.id.slice('token:'.length));
    expect(second.stillValid()).toBe(false);
  });

  it('answers for a token that is not there as for one that is not yours', () => {
    const message = (revoke: () => void): string => {
      try {
        revoke();
        return 'revoked';
      } catch (error) {
        return (error as Error).message;
      }
    };
    const me = operator();
    const other = root();
    const foreign = message(() => tokens.revoke(me, { requestId: 'r1' }, other.id.slice('token:'.length)));
    expect(foreign).toBe(message(() => tokens.revoke(me, { requestId: 'r1' }, 'nosuch')));
    expect(foreign).not.toBe('revoked');
  });

  it('is audited, without the secret', async () => {
    const { token, id } = tokens.create(root(), { requestId: 'r1' }, wanted({ level: 'read', name: 'x' }));
    tokens.revoke(root(), { requestId: 'r2' }, id);
    await audit.flush();
    const text = readFileSync(audit.path, 'utf8');
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toMatchObject([
      { request: 'r1', change: 'token-created', token: id, level: 'read' },
      { request: 'r2', change: 'token-revoked', token: id },
    ]);
    expect(text).not.toContain(token.split('_').slice(2).join('_'));
  });
});

it('two stores on one directory see what the other wrote', () => {
  const other = new TokenStore(new StateDirectory(directory), clock);
  const made = Array.from({ length: 6 }, (_, at) =>
    (at % 2 === 0 ? store : other).create({ level: 'read', vms: ['*'] }),
  );
  for (const { token } of made) {
    expect(store.authenticate(token)).toBeDefined();
    expect(other.authenticate(token)).toBeDefined();
  }
});
