import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { faultsIn, FleetScene, numbers, until, type FleetNode } from './event-scene.js';

const storeBytes = 4 * 1024 * 1024;

let scene: FleetScene;

beforeEach(() => {
  scene = new FleetScene();
});

afterEach(() => scene.end());

/** A node, and what is said of its stream. */
async function nodeOf(): Promise<{ readonly node: FleetNode; readonly told: unknown[] }> {
  await scene.nats({ storeBytes });
  const node = await scene.node('n');
  const told: unknown[] = [];
  node.events.onFault((subject, fault) => told.push([subject, fault]));
  return { node, told };
}

/** Makes the stream without a bound of its own, so that it can fill the store. */
async function makeBoundless({ link }: FleetNode) {
  await until(() => link.connected, 'a connection');
  const { manager } = await link.jetStream();
  const { subjects } = link;
  const name = subjects.eventStream;
  const republish = { src: subjects.allEvents, dest: subjects.live('{{wildcard(1)}}') };
  await manager.streams.add({ name, subjects: [subjects.allEvents], allow_direct: true, republish });
  return { manager, name };
}

describe('a store of NATS', () => {
  it('that has no room for the stream is told by name', async () => {
    const { told } = await nodeOf();
    await expect.poll(() => told, { timeout: 20_000 }).toContainEqual(['stream', expect.stringMatching(/storage/)]);
  });

  it(
    'that is full is told by name; the node goes on, and its events come when there is room',
    { timeout: 120_000 },
    async () => {
      const { node, told } = await nodeOf();
      const { manager, name } = await makeBoundless(node);
      await until(() => node.events.ownPosition() !== undefined, 'the node to join');
      const [local, fleet] = [node.hub.stats, node.listen()];
      const most = 300;
      for (let at = 0; at < most; at++) node.publish('v', 'TEST', { at, text: 'x'.repeat(40_000) });
      await expect
        .poll(() => told, { timeout: 50_000 })
        .toContainEqual(['publishing', 'JetStream takes no events: insufficient resources (10023)']);
      expect(local.published).toBe(most);
      expect(numbers(fleet.lines).length).toBeLessThan(most);
      await manager.streams.update(name, { max_bytes: storeBytes / 4 });
      await until(() => node.events.isSettled, 'everything to be stored');
      await expect.poll(() => told.at(-1), { timeout: 20_000 }).toEqual(['publishing', undefined]);
      await node.heard(node);
      expect(faultsIn(fleet.lines, new Map([['v', most]]))).toEqual([]);
    },
  );
});
