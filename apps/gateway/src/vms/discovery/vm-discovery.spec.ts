import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { ManualClock, Scene } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VmDefinition } from '../../settings/vm-definition.js';
import { goneAfterMs, lookEveryMs, VmDiscovery } from './vm-discovery.js';

const scene = new Scene();
let directory: string;
let clock: ManualClock;
let warnings: string[];
/** What the registry was told last. */
let told: ReadonlyMap<string, VmDefinition>;
let tellings: number;
let replaced: string[];
let discovery: VmDiscovery;
let onTold: () => void;

beforeEach(() => {
  directory = scene.directory();
  clock = new ManualClock();
  [warnings, replaced, told, tellings, onTold] = [[], [], new Map(), 0, () => undefined];
  const registry = {
    provide: (_: unknown, definitions: ReadonlyMap<string, VmDefinition>) => {
      [told, tellings] = [definitions, tellings + 1];
      onTold();
      return Promise.resolve();
    },
    socketReplaced: (_: unknown, id: string) => {
      replaced.push(id);
      onTold();
      return Promise.resolve();
    },
  };
  discovery = scene.keep(new VmDiscovery(registry, { warn: (message) => warnings.push(message) }, clock), (made) =>
    made.stop(),
  );
});
afterEach(() => scene.end());

const at = (name: string) => path.join(directory, name);

async function socket(name: string): Promise<string> {
  mkdirSync(path.dirname(at(name)), { recursive: true });
  const server = scene.keep(createServer(), (open) => open.close());
  server.listen(at(name));
  await once(server, 'listening');
  return at(name);
}

/** Lets time pass and waits for what the registry is told then. */
async function after(milliseconds: number): Promise<void> {
  const next = new Promise<void>((resolve) => (onTold = resolve));
  clock.advance(milliseconds);
  await next;
}

describe('discovery', () => {
  it('makes a VM of each socket: id, labels, agent', async () => {
    await socket('red/web-1.qmp');
    await discovery.watch([{ qmp: at('{tenant}/{id}.qmp'), agent: at('agents/{id}.{tenant}') }]);
    expect([...told]).toEqual([
      [
        'web-1',
        {
          endpoint: `unix:${at('red/web-1.qmp')}`,
          agent: `unix:${at('agents/web-1.red')}`,
          kind: 'auto',
          labels: { tenant: 'red' },
          anchors: { endpoint: directory, agent: at('agents') },
        },
      ],
    ]);
  });

  it('looks again every half second, whatever tells of changes', async () => {
    await discovery.watch([{ qmp: at('later/{id}.qmp') }]);
    expect(told.size).toBe(0);
    await socket('later/a.qmp');
    await after(lookEveryMs);
    expect([...told.keys()]).toEqual(['a']);
  });

  it('drops a VM when its socket stays away, and not before', async () => {
    const file = await socket('a.qmp');
    await discovery.watch([{ qmp: at('{id}.qmp') }]);
    rmSync(file);
    // A look that finds it missing tells nobody; the next one does. Less than a second in all.
    await discoveryLook();
    expect([told.size, tellings]).toEqual([1, 1]);
    await after(goneAfterMs);
    expect([told.size, tellings]).toEqual([0, 2]);
    expect(lookEveryMs + goneAfterMs).toBeLessThan(1000);
  });

  it('keeps a VM whose socket comes back at once, and tells that it is another one', async () => {
    const file = await socket('a.qmp');
    await discovery.watch([{ qmp: at('{id}.qmp') }]);
    rmSync(file);
    await discoveryLook();
    await socket('a.qmp');
    await after(goneAfterMs);
    expect([replaced, tellings]).toEqual([['a'], 1]);
  });

  it('tells of a socket that took the place of another', async () => {
    const file = await socket('a.qmp');
    await discovery.watch([{ qmp: at('{id}.qmp') }]);
    renameSync(await socket('other'), file);
    await after(lookEveryMs);
    expect([replaced, tellings]).toEqual([['a'], 1]);
  });

  it('warns once of what is no id, is too long, or occurs twice', async () => {
    await socket('red/web 1.qmp');
    await socket('red/db.qmp');
    await socket('blue/db.qmp');
    await discovery.watch([
      { qmp: at('{tenant}/{id}.qmp'), agent: at(`{id}${'a'.repeat(105 - directory.length)}{tenant}`) },
    ]);
    await discoveryLook();
    expect([...told.values()]).toEqual([
      {
        endpoint: `unix:${at('blue/db.qmp')}`,
        kind: 'auto',
        labels: { tenant: 'blue' },
        anchors: { endpoint: directory },
      },
    ]);
    expect(warnings.sort()).toEqual(
      [
        expect.stringMatching(/blue.*longer than/),
        expect.stringMatching(/red\/db\.qmp: VM db has the socket .*blue/),
        expect.stringMatching(/"web 1" is not an id/),
      ].sort(),
    );
  });

  it('takes other patterns in place of those before', async () => {
    await socket('a.qmp');
    await socket('b.monitor');
    await discovery.watch([{ qmp: at('{id}.qmp') }]);
    await discovery.watch([{ qmp: at('{id}.monitor') }]);
    expect([...told.keys()]).toEqual(['b']);
    await discovery.watch([]);
    expect(told.size).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('looks no more when stopped', async () => {
    await discovery.watch([{ qmp: at('{id}.qmp') }]);
    discovery.stop();
    expect(clock.pending).toBe(0);
  });
});

/** The look that is due after half a second, to its end, when it tells nobody anything. */
async function discoveryLook(): Promise<void> {
  clock.advance(lookEveryMs);
  await discovery.settled();
}
