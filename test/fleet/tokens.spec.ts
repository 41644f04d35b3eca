import { systemClock } from '@qmp-gateway/qmp';
import { NatsServers, Scene } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TokenStore } from '../../apps/gateway/src/access/tokens/token-store.js';
import { FleetBucket } from '../../apps/gateway/src/fleet/fleet-bucket.js';
import type { FleetLink } from '../../apps/gateway/src/fleet/fleet-link.js';
import { FleetTokens } from '../../apps/gateway/src/fleet/tokens/fleet-tokens.js';
import { StateDirectory } from '../../apps/gateway/src/state/state-directory.js';
import { connectedLink, fleetSettings, pause, QuietLog } from './directory-nodes.js';

let scene: Scene;
let nats: NatsServers;
let names = 0;

beforeEach(async () => {
  scene = new Scene();
  nats = await scene.start(NatsServers.start(), (servers) => servers.stop());
});
afterEach(() => scene.end());

/** The tokens of one node. */
interface Member {
  readonly store: TokenStore;
  readonly link: FleetLink;
  readonly bucket: FleetBucket;
  readonly state: string;
  leave(): Promise<void>;
}

async function member(state = scene.directory()): Promise<Member> {
  const log = new QuietLog();
  const link = await connectedLink(fleetSettings(nats.urls, `n${++names}`), log);
  const store = new TokenStore(new StateDirectory(state));
  const bucket = new FleetBucket(link, link.subjects.tokenBucket);
  const fleet = new FleetTokens({ link, bucket, log, tokens: store, clock: systemClock });
  fleet.start();
  const leave = async (): Promise<void> => {
    fleet.stop();
    await fleet.idle();
    await link.close();
  };
  scene.keep(link, leave);
  return { store, link, bucket, state, leave };
}

/** A store of its own for the same file, as the command line has. */
const besides = (state: string): TokenStore => new TokenStore(new StateDirectory(state));

const make = (store: TokenStore, name = 'some'): { token: string; id: string } => {
  const { token, record } = store.create({ name, level: 'read', vms: ['*'] });
  return { token, id: record.id };
};

async function until(holds: () => boolean, what: string, withinMs = 10_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not so: ${what}`);
    await pause(10);
  }
}

const works = ({ store }: Pick<Member, 'store'>, token: string): boolean => store.authenticate(token) !== undefined;

describe('the tokens of a fleet', () => {
  it('work on all nodes soon after one made them, and nowhere after one revoked them', async () => {
    const [a, b, c] = [await member(), await member(), await member()];
    const { token, id } = make(a.store);
    for (const each of [b, c]) await until(() => works(each, token), 'made', 2000);
    expect(b.store.authenticate(token)?.name).toBe('some');
    b.store.revoke(id);
    for (const each of [a, c]) await until(() => !works(each, token), 'revoked', 2000);
    const principal = c.store.authenticate(token);
    expect(principal).toBeUndefined();
  });

  it('of nodes that join are those of all, and of the command line too', async () => {
    const [one, two] = [scene.directory(), scene.directory()];
    const tokens = [make(besides(one), 'root').token, make(besides(two), 'root').token];
    const [a, b] = [await member(one), await member(two)];
    for (const each of [a, b]) for (const token of tokens) await until(() => works(each, token), 'merged');
    const { token, id } = make(besides(two));
    await until(() => works(a, token), 'made by the command line');
    besides(one).revoke(id);
    await until(() => !works(b, token), 'revoked by the command line');
  });

  it('hold while NATS is away and over a restart; what was done meanwhile is told afterwards', async () => {
    const [a, b] = [await member(), await member()];
    const { token, id } = make(a.store);
    await until(() => works(b, token), 'made');
    await nats.first.kill();
    await until(() => !b.link.connected, 'away');
    expect(works(b, token)).toBe(true);
    a.store.revoke(id);
    const later = make(b.store).token;
    expect(works(b, token)).toBe(true);
    await b.leave();
    // Its file knows what it knew.
    expect(works({ store: besides(b.state) }, token)).toBe(true);
    await nats.first.start();
    const again = await member(b.state);
    await until(() => !works(again, token), 'the revocation is told', 20_000);
    await until(() => works(a, later), 'the new one is told', 20_000);
  });

  it('are never given back by a node that was away when they were revoked', async () => {
    const [a, b] = [await member(), await member()];
    const { token, id } = make(a.store);
    await until(() => works(b, token), 'made');
    await b.leave();
    a.store.revoke(id);
    const isTold = async (): Promise<boolean> => {
      const entry = await a.bucket.get(id);
      return entry !== undefined && Buffer.from(entry.value).includes('revoked');
    };
    while (!(await isTold())) await pause(20);
    const again = await member(b.state);
    await until(() => !works(again, token), 'revoked');
    await pause(500);
    expect(works(a, token)).toBe(false);
  });

  it('are put back when somebody removed the bucket', async () => {
    const a = await member();
    const { token, id } = make(a.store);
    while ((await a.bucket.get(id)) === undefined) await pause(20);
    const { manager } = await a.link.jetStream();
    await manager.streams.delete(`KV_${a.bucket.name}`);
    make(a.store);
    const b = await member();
    await until(() => works(b, token), 'put back', 20_000);
  });

  it('that were revoked stay so when somebody removed the bucket, also for a node that was away meanwhile', async () => {
    const [a, b, c] = [await member(), await member(), await member()];
    const { token, id } = make(a.store);
    for (const each of [b, c]) await until(() => works(each, token), 'made');
    await b.leave();
    a.store.revoke(id);
    await until(() => !works(c, token), 'revoked');
    await a.leave();
    const { manager } = await c.link.jetStream();
    await manager.streams.delete(`KV_${c.bucket.name}`);
    const again = await member(b.state);
    await until(() => !works(again, token), 'revoked again', 30_000);
    await expect.poll(async () => Buffer.from((await c.bucket.get(id))?.value ?? '').toString()).toContain('revoked');
    expect(works(c, token)).toBe(false);
  });

  it('are none of a gateway where they are not of its form', async () => {
    const a = await member();
    make(a.store);
    while ((await a.bucket.keys('*')).keys.length === 0) await pause(20);
    const { record } = besides(scene.directory()).create({ name: 'x', level: 'host', vms: ['*'] });
    await a.bucket.put('bad1', Buffer.from('{}'));
    await a.bucket.put('bad2', Buffer.from('no JSON'));
    await a.bucket.put('bad3', Buffer.from(JSON.stringify({ ...record, id: 'bad4' })));
    await a.bucket.put('bad5', Buffer.from(JSON.stringify({ ...record, id: 'bad5', level: 'root' })));
    const { id } = make(a.store);
    while ((await a.bucket.get(id)) === undefined) await pause(20);
    await pause(500);
    expect(a.store.list().map(({ level }) => level)).toEqual(['read', 'read']);
  });
});
