import { NatsServers, Scene } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FleetSettings } from '../../apps/gateway/src/settings/fleet-settings.js';
import {
  connectedLink,
  Entry,
  fleetSettings,
  makeStream,
  pause,
  QuietLog,
  SimulatedNode,
  someVm,
} from './directory-nodes.js';

/** How soon all VMs must be known; 2000 on a machine that does nothing else. */
const knownWithinMs = Number(process.env['FLEET_KNOWN_MS'] ?? 20_000);

let scene: Scene;
let nats: NatsServers;

beforeEach(async () => {
  scene = new Scene();
  nats = await scene.start(NatsServers.start(), (servers) => servers.stop());
  const maker = await connectedLink(settingsOf('maker'), new QuietLog());
  await makeStream(maker);
  await maker.close();
});
afterEach(() => scene.end());

const settingsOf = (node: string, more: Partial<FleetSettings> = {}): FleetSettings =>
  fleetSettings(nats.urls, node, more);

const node = (name: string, ids: readonly string[] = [], identity?: string): Promise<SimulatedNode> =>
  scene.start(
    SimulatedNode.start(
      settingsOf(name),
      ids.map((id) => someVm(id)),
      identity,
    ),
    (started) => started.die(),
  );

const entry = (name = 'entry', options: { archive?: boolean } = {}): Promise<Entry> =>
  scene.start(Entry.start(settingsOf(name), options), (started) => started.stop());

describe('the directory of a fleet', () => {
  it('has the VMs of nodes that were there before it, and of those that come', async () => {
    await (await node('a', ['vm-1', 'vm-2'])).joined();
    const at = await entry();
    await at.until(({ size }) => size === 2);
    await node('b', ['vm-0']);
    await at.until(({ size }) => size === 3);
    expect(at.list()).toEqual(['vm-0@b ready', 'vm-1@a ready', 'vm-2@a ready']);
    expect(at.directory.find('vm-1').map((vm) => vm.node)).toEqual(['a']);
    expect(at.directory.find('vm-9')).toEqual([]);
  });

  it('follows the events after a snapshot, at every entry alike', async () => {
    const a = await node('a', ['vm-1', 'vm-2']);
    const [first, second] = [await entry('e1'), await entry('e2')];
    await a.joined();
    await first.until(({ size }) => size === 2);
    await a.change(someVm('vm-1', 'waiting'), someVm('vm-3'));
    await a.remove('vm-2');
    const expected = ['vm-1@a waiting', 'vm-3@a ready'];
    for (const each of [first, second]) {
      await each.until(({ size }) => each.list().join() === expected.join() && size === 2);
    }
    // One that comes later has the snapshot, which is older, and the rest from the stream.
    const third = await entry('e3');
    await third.until(() => third.list().join() === expected.join());
  });

  it('has ten thousand VMs soon after their last node began, at every entry alike', async () => {
    const entries = [await entry('e1'), await entry('e2')];
    const nodes = Array.from({ length: 10 }, (_, at) => `n${at}`);
    const idsOf = (name: string) => Array.from({ length: 1000 }, (_, at) => `${name}-${String(at).padStart(3, '0')}`);
    for (const name of nodes) await node(name, idsOf(name));
    for (const each of entries) await each.until(({ size }) => size === 10_000, knownWithinMs);
    const expected = nodes.flatMap((name) => idsOf(name).map((id) => `${id}@${name} ready`)).sort();
    for (const each of entries) expect(each.list()).toEqual(expected);
  });

  it('tells ids apart that differ in one character, and takes the longest', async () => {
    const long = 'x'.repeat(128);
    const ids = ['A.b', 'a-b', 'a.b', 'a_b', long];
    await node('n.1', ids);
    await node('n_1', ids);
    await node('n-1', ids);
    const at = await entry();
    await at.until(({ size }) => size === 15);
    for (const id of ids)
      expect(
        at.directory
          .find(id)
          .map((vm) => [vm.id, vm.node])
          .sort(),
      ).toEqual([
        [id, 'n-1'],
        [id, 'n.1'],
        [id, 'n_1'],
      ]);
  });

  it('has snapshots that are larger than a message, in pieces', async () => {
    const bulk = (id: number): string =>
      Array.from({ length: 40 }, (_, at) => ((id * 7919 + at) ** 2).toString(36)).join('');
    const a = await node('a');
    const vms = Array.from({ length: 10_000 }, (_, id) => someVm(`vm-${id}`, 'ready', { name: bulk(id) }));
    for (const vm of vms) a.vms.set(vm.id, vm);
    await a.joined();
    const at = await entry();
    await at.until(({ size }) => size === 10_000);
    const sample = at.directory.find('vm-77')[0];
    expect(sample?.view(false)).toBe(vms[77]?.full);
    expect(sample?.view(true)).toBe(vms[77]?.reduced);
  });

  it('reads what it missed from the stream, and without that from the next snapshot', async () => {
    const a = await node('a', ['vm-1']);
    const at = await entry();
    const without = await entry('e2', { archive: false });
    for (const each of [at, without]) await each.until(({ size }) => size === 1);
    await a.joined();
    for (const each of [at, without]) each.feed.open = false;
    await a.change(someVm('vm-1', 'waiting'));
    for (const each of [at, without]) each.feed.open = true;
    await at.until(() => at.list().join() === 'vm-1@a waiting');
    // So many changes make a snapshot due.
    for (let round = 0; round < 20; round++) await a.change(someVm('vm-2', round % 2 ? 'busy' : 'ready'));
    await without.until(() => without.list().join() === 'vm-1@a waiting,vm-2@a busy');
  });

  it('has what the stream never had', async () => {
    const a = await node('a', ['vm-1']);
    const at = await entry();
    await at.until(({ size }) => size === 1);
    a.changeUnheard(someVm('vm-1', 'closed'));
    await at.until(() => at.list().join() === 'vm-1@a closed');
    expect(at.told).toContain('changed vm-1 closed');
  });

  it('finds both of two nodes that claim one id', async () => {
    await node('a', ['vm-1']);
    await node('b', ['vm-1']);
    const at = await entry();
    await at.until(({ size }) => size === 2);
    expect(
      at.directory
        .find('vm-1')
        .map((vm) => vm.node)
        .sort(),
    ).toEqual(['a', 'b']);
  });
});

describe('a node that is not heard', () => {
  it('stays listed with its VMs unreachable, and is as it says when it is heard again', async () => {
    const a = await node('a', ['vm-1']);
    await a.joined();
    const at = await entry();
    await at.until((directory) => directory.node('a')?.clock() !== undefined);
    expect(at.directory.node('a')).toMatchObject({ reachable: true });
    await a.die();
    await at.until((directory) => directory.node('a')?.reachable === false);
    await at.until(() => at.told.length > 0);
    expect(at.told).toEqual(['changed vm-1 unreachable']);
    const row = JSON.parse(at.directory.find('vm-1')[0]!.render(true)) as object;
    expect(row).toMatchObject({
      state: 'unreachable',
      health: null,
      runState: null,
      node: 'a',
      heard: expect.any(String),
    });

    const again = await node('a', ['vm-1', 'vm-2']);
    await at.until(() => at.list().join() === 'vm-1@a ready,vm-2@a ready');
    expect(at.directory.node('a')?.run).toBe(again.link.run);
    await at.until(() => at.told.includes('changed vm-1 ready'));
  });

  it('goes with its goodbye, at every entry', async () => {
    const a = await node('a', ['vm-1']);
    await a.joined();
    const [first, second] = [await entry('e1'), await entry('e2')];
    for (const each of [first, second]) await each.until(({ size }) => size === 1);
    await a.leave();
    for (const each of [first, second]) await each.until(({ size }) => size === 0);
    expect(first.told).toEqual(['removed vm-1']);
    expect(first.directory.node('a')).toBeUndefined();
  });

  it('is removed by hand, at every entry and for those that come', async () => {
    const a = await node('a', ['vm-1']);
    const [first, second] = [await entry('e1'), await entry('e2')];
    for (const each of [first, second]) await each.until(({ size }) => size === 1);
    await a.die();
    await first.until((directory) => directory.node('a')?.reachable === false);
    await first.directory.remove('a');
    for (const each of [first, second]) await each.until((directory) => directory.node('a') === undefined);
    const third = await entry('e3');
    await third.until(({ isLoaded }) => isLoaded);
    expect(third.list()).toEqual([]);
  });

  it('has a clock that is never ahead of the truth', async () => {
    await node('a');
    const at = await entry();
    await at.until((directory) => directory.node('a')?.clock() !== undefined);
    for (let look = 0; look < 20; look++) {
      // Both are of one process here, so their clocks are one.
      const estimated = at.directory.node('a')?.clock() ?? NaN;
      expect(estimated).toBeLessThanOrEqual(performance.now());
      await pause(20);
    }
  });
});

describe('the name of a node', () => {
  it('is refused to another one while its holder lives, and free after it', async () => {
    const a = await node('a', ['vm-1']);
    await a.joined();
    const other = await node('a', ['vm-9'], 'another');
    while (other.record.membership !== 'name-taken') await pause(10);
    expect(a.record.membership).toBe('joined');
    const at = await entry();
    await at.until(({ size }) => size === 1);
    await a.die();
    await other.joined();
    await at.until(() => at.list().join() === 'vm-9@a ready');
  });

  it('is had again at once by the same node after its restart', async () => {
    const a = await node('a', ['vm-1']);
    await a.joined();
    await a.die();
    const began = performance.now();
    await (await node('a', ['vm-1'])).joined();
    expect(performance.now() - began).toBeLessThan(900);
  });

  it('of two copies of one state directory is with the later, for good', async () => {
    const a = await node('a', ['vm-1'], 'same');
    await a.joined();
    const copy = await node('a', ['vm-2'], 'same');
    await copy.joined();
    while (a.record.membership !== 'name-taken') await pause(10);
    await pause(2500);
    expect([a.record.membership, copy.record.membership]).toEqual(['name-taken', 'joined']);
  });

  it('of two nodes that come at once is with one', async () => {
    const both = await Promise.all([node('a', [], 'one'), node('a', [], 'two')]);
    while (both.some(({ record }) => record.membership === 'joining')) await pause(10);
    expect(both.map(({ record }) => record.membership).sort()).toEqual(['joined', 'name-taken']);
  });
});
