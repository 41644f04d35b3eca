import { FakeMonitor, ManualClock, Scene, type FakeMonitorOptions } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { SchemaStore } from '../schemas/schema-store.js';
import { StateDirectory } from '../state/state-directory.js';
import type { VmDefinition } from '../settings/vm-definition.js';
import { Epochs } from './epochs.js';
import { VmNews } from './vm-news.js';
import { VmRegistry } from './vm-registry.js';
import type { Vm, VmSurroundings } from './vm.js';

const scene = new Scene();
afterEach(() => scene.end());

const object = (name: string) => ({ name, 'meta-type': 'object', members: [] });
const commands = ['query-status', 'query-name', 'query-uuid', 'query-commands', 'stop'];
const introspection = [
  object('empty'),
  ...commands.map((name) => ({ name, 'meta-type': 'command', 'arg-type': 'empty', 'ret-type': 'empty' })),
];

/** A machine that answers what is asked while a session is prepared. */
async function machine(options: FakeMonitorOptions = {}): Promise<FakeMonitor> {
  const fake = scene.keep(await FakeMonitor.start(options), (made) => made.stop());
  return fake
    .on('query-qmp-schema', () => ({ return: introspection }))
    .on('query-commands', () => ({ return: commands.map((name) => ({ name })) }))
    .on('query-status', () => ({ return: { status: 'running', running: true } }))
    .on('query-name', () => ({ return: { name: 'web' } }))
    .on('query-uuid', () => ({ return: { UUID: '3f6a2c1e-58d4-4a7b-9c55-0d9b7c2f4e11' } }));
}

/** A registry, what its VMs said, and a wait for what they say. */
class Stage {
  readonly clock = new ManualClock();
  readonly said: string[] = [];
  readonly warnings: string[] = [];
  readonly registry: VmRegistry;
  readonly #news = new VmNews();
  #waiting: { readonly line: string; readonly resolve: () => void }[] = [];

  constructor() {
    this.#news.register({
      added: ({ id }) => this.#say(`${id} added`),
      removed: ({ id }) => this.#say(`${id} removed`),
      relabelling: ({ id }, labels) => this.#say(`${id} will be ${JSON.stringify(labels)}`),
      ready: ({ id, epoch, kind }) => this.#say(`${id} ready ${String(kind)} ${String(epoch)}`),
      event: ({ id, epoch, runState }, { name }) => this.#say(`${id} ${name} ${String(epoch)} ${String(runState)}`),
      anomaly: ({ id }, kind) => this.#say(`${id} ${kind}`),
      failed: (_, error) => {
        throw error;
      },
    });
    const surroundings: VmSurroundings = {
      observer: this.#news,
      schemas: new SchemaStore(new Map(), []),
      monitorOptions: { clock: this.clock, random: () => 1 },
      tls: new Map(),
      limits: { queue: 10 },
      epochs: new Epochs('r'),
    };
    const state = new StateDirectory(scene.directory());
    this.registry = new VmRegistry(state, surroundings, { warn: (message) => void this.warnings.push(message) });
    scene.keep(this.registry, (made) => made.stop());
  }

  get news(): VmNews {
    return this.#news;
  }

  vm(id: string): Vm {
    const vm = this.registry.get(id);
    if (vm === undefined) throw new Error(`no VM ${id}`);
    return vm;
  }

  /** Resolves when this was said, now or later. */
  async until(line: string): Promise<void> {
    if (!this.said.includes(line)) await new Promise<void>((resolve) => this.#waiting.push({ line, resolve }));
  }

  #say(line: string): void {
    this.said.push(line);
    for (const { resolve } of this.#waiting.filter((wait) => wait.line === line)) resolve();
    this.#waiting = this.#waiting.filter((wait) => wait.line !== line);
  }
}

const at = ({ endpoint }: FakeMonitor, labels: Record<string, string> = {}): VmDefinition => {
  if (endpoint.kind !== 'unix') throw new Error('not on a unix socket');
  return { endpoint: `unix:${endpoint.path}`, kind: 'auto', labels };
};

describe('the session of a VM', () => {
  it('is ready when schema, state, name and uuid are known', async () => {
    const stage = new Stage();
    stage.registry.load(new Map([['a', at(await machine())]]));
    stage.registry.start();
    await stage.until('a ready qemu r.1');
    const { version, name, uuid, runState, schema } = stage.vm('a');
    expect([version, name, uuid, runState]).toEqual([
      '10.2.0',
      'web',
      '3f6a2c1e-58d4-4a7b-9c55-0d9b7c2f4e11',
      'running',
    ]);
    expect([...(schema?.commands.keys() ?? [])].sort()).toEqual([...commands].sort());
  });

  it('has its name from the first event on, and a new one after it was lost', async () => {
    const stage = new Stage();
    const fake = await machine();
    stage.registry.load(new Map([['a', at(fake)]]));
    stage.registry.start();
    await stage.until('a ready qemu r.1');
    fake.emit('POWERDOWN');
    await stage.until('a POWERDOWN r.1 running');
    const lost = new Promise<void>((resolve) => stage.vm('a').onceChanged(resolve));
    fake.connections[0]?.close();
    await lost;
    expect([stage.vm('a').state, stage.vm('a').runState]).toEqual(['waiting', null]);
    stage.clock.advance(10_000);
    await stage.until('a ready qemu r.2');
  });

  it('follows the run state by events, and asks for it after them', async () => {
    const stage = new Stage();
    const fake = await machine();
    stage.registry.load(new Map([['a', at(fake)]]));
    stage.registry.start();
    await stage.until('a ready qemu r.1');
    const asked = fake.next('query-status');
    fake.emit('STOP');
    await stage.until('a STOP r.1 running');
    expect(stage.vm('a').runState).toBe('paused');
    await asked;
  });

  it('is with a storage daemon where the schema has no query-status', async () => {
    const stage = new Stage();
    const fake = await machine();
    fake.on('query-qmp-schema', () => ({ return: introspection.filter(({ name }) => name !== 'query-status') }));
    fake.on('query-commands', () => ({ return: [{ name: 'query-qmp-schema' }, { name: 'stop' }] }));
    stage.registry.load(new Map([['a', at(fake)]]));
    stage.registry.start();
    await stage.until('a ready storage-daemon r.1');
    expect([...(stage.vm('a').schema?.commands.keys() ?? [])]).toEqual(['stop']);
    expect(stage.vm('a').runState).toBeNull();
  });

  it('shows the beginning of a name without end, and counts that as odd', async () => {
    const stage = new Stage();
    const fake = await machine();
    fake.on('query-name', () => ({ return: { name: 'x'.repeat(100_000) } }));
    stage.registry.load(new Map([['a', at(fake)]]));
    stage.registry.start();
    await stage.until('a ready qemu r.1');
    expect(stage.said).toContain('a overlong-name');
    expect(stage.vm('a').anomalies.get('overlong-name')).toBe(1);
  });
});

describe('the registry of VMs', () => {
  it('has a VM from the first source that names it, and warns', async () => {
    const stage = new Stage();
    const [one, other] = [at(await machine()), at(await machine())];
    stage.registry.load(new Map([['a', one]]));
    await stage.registry.provide('discovery', new Map([['a', other]]));
    expect(stage.vm('a').definition).toBe(one);
    expect(stage.warnings).toEqual(['VM a comes from settings and discovery: what settings says counts']);
    await stage.registry.provide('settings', new Map());
    expect(stage.vm('a').definition).toBe(other);
  });

  it('keeps the session when only labels change, and says so beforehand', async () => {
    const stage = new Stage();
    const fake = await machine();
    stage.registry.load(new Map([['a', at(fake)]]));
    stage.registry.start();
    await stage.until('a ready qemu r.1');
    const before = stage.vm('a');
    await stage.registry.provide('settings', new Map([['a', at(fake, { tenant: 'red' })]]));
    expect(stage.said.at(-1)).toBe('a will be {"tenant":"red"}');
    expect(stage.vm('a')).toBe(before);
    expect([before.ready, before.labels]).toEqual([true, { tenant: 'red' }]);
  });

  it('removes a VM that no source names, its session first', async () => {
    const stage = new Stage();
    stage.registry.load(new Map([['a', at(await machine())]]));
    stage.registry.start();
    await stage.until('a ready qemu r.1');
    const vm = stage.vm('a');
    await stage.registry.provide('settings', new Map());
    expect([stage.registry.get('a'), vm.stopped, stage.said.at(-1)]).toEqual([undefined, true, 'a removed']);
  });
});

describe('news of VMs', () => {
  it('go to observers in the order they registered, and a removal in the reverse order', () => {
    const stage = new Stage();
    const order: string[] = [];
    for (const name of ['first', 'second'])
      stage.news.register({
        changed: () => order.push(`${name} changed`),
        removed: () => order.push(`${name} removed`),
      });
    stage.registry.load(new Map([['a', { endpoint: 'unix:/nowhere', kind: 'auto', labels: {} }]]));
    stage.news.changed(stage.vm('a'));
    stage.news.removed(stage.vm('a'));
    expect(order).toEqual(['first changed', 'second changed', 'second removed', 'first removed']);
  });
});
