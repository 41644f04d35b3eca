import { GatewayProblem, type EventStreamOptions, type GatewayEvent, type Vm } from '@qmp-gateway/client';
import { expect, it } from 'vitest';
import { VmStore, type FollowedGateway } from './vm-store.js';
import { vmRow } from './vm.scene.js';

/** A gateway whose lists and events the test hands out. */
class Source implements FollowedGateway {
  lists: Vm[][] = [];
  refusal: Error | undefined;
  options: EventStreamOptions = {};
  readonly #events: GatewayEvent[] = [];
  #wake: () => void = () => undefined;

  vms = (): Promise<{ vms: Vm[]; cursor: string }> => {
    if (this.refusal !== undefined) return Promise.reject(this.refusal);
    return Promise.resolve({ vms: this.lists.shift() ?? [], cursor: 'k.1' });
  };

  async *events(options: EventStreamOptions = {}): AsyncGenerator<GatewayEvent, void, undefined> {
    this.options = options;
    options.onConnection?.(true);
    while (options.signal?.aborted !== true) {
      const event = this.#events.shift();
      if (event === undefined)
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          options.signal?.addEventListener('abort', () => resolve());
        });
      else yield event;
    }
  }

  send(event: string, data: unknown, vm: string | null = 'a'): void {
    const common = { cursor: 'k.2', epoch: null, timestamp: { seconds: 0, microseconds: 0 }, time: '' };
    this.#events.push({ ...common, vm, event, data } as unknown as GatewayEvent);
    this.#wake();
  }
}

function storeOf(source: Source): VmStore {
  const store = new VmStore(source);
  void store.follow();
  return store;
}

it('has the rows of the list in the order of ids, then follows changes and removals', async () => {
  const source = new Source();
  source.lists = [[vmRow('b'), vmRow('a')]];
  const store = storeOf(source);
  await expect.poll(() => store.rows.map(({ id }) => id)).toEqual(['a', 'b']);
  expect(source.options).toMatchObject({ after: 'k.1', transport: 'websocket' });
  source.send('vm-changed', vmRow('c'));
  source.send('vm-changed', vmRow('a', { runState: 'paused' }));
  source.send('vm-removed', { id: 'b' });
  await expect
    .poll(() => store.rows.map(({ id, runState }) => `${id} ${runState ?? ''}`))
    .toEqual(['a paused', 'c running']);
  expect(store.vm('b')).toBeUndefined();
  expect(store.vm('a')?.runState).toBe('paused');
  store.close();
});

it('shows changes that come together in one step', async () => {
  const source = new Source();
  source.lists = [[]];
  const store = storeOf(source);
  await expect.poll(() => store.connection.kind).toBe('live');
  let steps = 0;
  store.changed.subscribe(() => steps++);
  for (let at = 0; at < 200; at++) source.send('vm-changed', vmRow(`vm-${at}`));
  await expect.poll(() => store.rows.length).toBe(200);
  expect(steps).toBeLessThan(20);
  store.close();
});

it('reads the list anew after a gap, and says what was missed until that was seen', async () => {
  const source = new Source();
  source.lists = [[vmRow('a')], [vmRow('z')]];
  const store = storeOf(source);
  await expect.poll(() => store.rows.length).toBe(1);
  source.send('gap', { vm: null, from: 'k.1', to: 'k.9', missed: 8 }, null);
  await expect.poll(() => store.rows.map(({ id }) => id)).toEqual(['z']);
  expect(store.missed).toMatchObject({ vm: null, missed: 8 });
  store.forgetMissed();
  expect(store.missed).toBeUndefined();
  store.close();
});

it('says that the connection was lost, keeps what it had, and says that it is back', async () => {
  const source = new Source();
  source.lists = [[vmRow('a')]];
  const store = storeOf(source);
  await expect.poll(() => store.rows.length).toBe(1);
  source.options.onConnection?.(false, new Error('the gateway is silent'));
  expect(store.connection).toMatchObject({ kind: 'lost', why: 'the gateway is silent' });
  expect(store.rows).toHaveLength(1);
  source.options.onConnection?.(true);
  expect(store.connection.kind).toBe('live');
  store.close();
});

it('tries nothing again once its credentials are refused', async () => {
  const source = new Source();
  source.refusal = new GatewayProblem({ code: 'unauthenticated', status: 401, outcome: 'not-sent', retryable: false });
  const store = new VmStore(source);
  await store.follow();
  expect(store.connection.kind).toBe('refused');
  store.close();
});

it('hands on what becomes of operations', async () => {
  const source = new Source();
  source.lists = [[]];
  const store = storeOf(source);
  const heard: string[] = [];
  const stop = store.onOperation((vm, { id }) => heard.push(`${vm} ${id}`));
  await expect.poll(() => store.connection.kind).toBe('live');
  source.send('operation', { id: 'op-1' });
  await expect.poll(() => heard).toEqual(['a op-1']);
  stop();
  store.close();
});
