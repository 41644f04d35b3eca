import { FaultProxy } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { faultsIn, FleetScene, pause, Traffic, until } from './event-scene.js';

let scene: FleetScene;

beforeEach(() => {
  scene = new FleetScene();
});

afterEach(() => scene.end());

async function behindProxies() {
  const { first } = await scene.nats();
  const proxy = () => scene.start(FaultProxy.start(first.port), (made) => made.stop());
  const proxies = { owner: await proxy(), entry: await proxy() };
  const at = (made: FaultProxy) => [`nats://127.0.0.1:${made.port}`];
  const owner = await scene.joined('owner', { serve: false, servers: at(proxies.owner) });
  const entry = await scene.joined('entry', { servers: at(proxies.entry) });
  return { proxies, owner, entry };
}

describe('a link between a node and NATS', () => {
  it.each(['owner', 'entry'] as const)('costs nothing when it is cut again and again: %s', async (side) => {
    const { proxies, owner, entry } = await behindProxies();
    const stream = entry.listen();
    const traffic = new Traffic(owner, { perSecond: 1000, vms: 3 });
    for (let at = 0; at < 5; at++) {
      await pause(300);
      proxies[side].cut();
    }
    await pause(300);
    const expected = traffic.stop();
    await entry.heard(owner);
    expect(faultsIn(stream.lines, expected)).toEqual([]);
  });

  it.each([
    ['owner', 'toServer'],
    ['owner', 'toClient'],
    ['entry', 'toServer'],
    ['entry', 'toClient'],
  ] as const)('costs nothing when one direction goes silent: %s, %s', async (side, direction) => {
    const { proxies, owner, entry } = await behindProxies();
    const stream = entry.listen();
    const traffic = new Traffic(owner, { perSecond: 500, vms: 3 });
    await pause(200);
    proxies[side][direction].stalled = true;
    await until(() => !{ owner, entry }[side].link.connected, 'somebody to notice');
    proxies[side][direction].stalled = false;
    await pause(500);
    const expected = traffic.stop();
    await entry.heard(owner);
    expect(faultsIn(stream.lines, expected)).toEqual([]);
  });
});
