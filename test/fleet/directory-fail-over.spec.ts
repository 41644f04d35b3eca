import { NatsServers, Scene } from '@qmp-gateway/test-kit';
import { afterEach, expect, it } from 'vitest';
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

const scene = new Scene();
afterEach(() => scene.end());

it('a directory is right again after each of three servers was killed', async () => {
  const nats = await scene.start(NatsServers.start({ servers: 3 }), (servers) => servers.stop());
  const events = { replicas: 3, maxBytes: 1e9, maxAge: 86_400_000, perVmRate: 2000, buffer: 1e8 };
  const settings = (node: string) => fleetSettings(nats.urls, node, { events, unreachableAfter: 2000 });
  const maker = await connectedLink(settings('maker'), new QuietLog());
  for (;;) {
    try {
      await makeStream(maker, 3);
      break;
    } catch {
      // The servers elect a leader first.
      await pause(200);
    }
  }
  await maker.close();
  const a = await scene.start(SimulatedNode.start(settings('a'), [someVm('vm-0')]), (node) => node.die());
  const entry = await scene.start(Entry.start(settings('entry')), (started) => started.stop());
  await entry.until(({ size }) => size === 1, 30_000);
  const expected = ['vm-0@a ready'];
  for (const [at, server] of nats.all.entries()) {
    await server.kill();
    await a.change(someVm(`vm-${at + 1}`, 'waiting'));
    expected.push(`vm-${at + 1}@a waiting`);
    await entry.until(() => entry.list().join() === expected.join(), 40_000);
    expect(a.record.membership).toBe('joined');
    await server.start();
  }
  // The record is kept on: whoever comes now finds it.
  const later = await scene.start(Entry.start(settings('later')), (started) => started.stop());
  await later.until(() => later.list().join() === expected.join(), 40_000);
}, 200_000);
