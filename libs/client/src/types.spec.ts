// The compiler runs these: `npm run check` fails where they do not hold.
import { describe, expectTypeOf, it } from 'vitest';
import type { ArgumentsOf, GatewayEvent, QmpEvent, qapi, ReturnOf, VmClient } from './index.js';

describe('types of the client', () => {
  it('knows what commands take and return', () => {
    expectTypeOf<ReturnOf<'query-status'>>().toEqualTypeOf<qapi.StatusInfo>();
    expectTypeOf<ReturnOf<'query-iothreads'>[number]['poll-max-ns']>().toEqualTypeOf<bigint>();
    expectTypeOf<ArgumentsOf<'block_resize'>['size']>().toEqualTypeOf<bigint | number>();
    expectTypeOf<ReturnOf<'__com.example_x'>>().toEqualTypeOf<unknown>();
  });

  it('lets arguments be left out exactly where all are optional', () => {
    // Never called: the compiler checks it.
    const calls = async (vm: VmClient): Promise<void> => {
      expectTypeOf(await vm.query('query-status')).toEqualTypeOf<qapi.StatusInfo>();
      await vm.query('query-cpu-definitions', undefined, { timeout: 1 });
      await vm.query('qom-list', { path: '/machine' });
      await vm.execute('query-blockstats');
      await vm.execute('device_add', { driver: 'virtio-rng-pci', bus: 'rp0', addr: 3 }, { idempotencyKey: 'a' });
      await vm.execute('object-add', { 'qom-type': 'iothread', id: 'io0', 'poll-max-ns': 1n });
      await vm.execute('__com.example_x', { anything: [1n] });
      await vm.execute('__com.example_x');
      const dry = await vm.execute('stop', undefined, { dryRun: true });
      expectTypeOf(dry.class).toEqualTypeOf<'read' | 'operate' | 'configure' | 'host'>();
      // @ts-expect-error path is missing
      await vm.query('qom-list');
      // @ts-expect-error no such member
      await vm.query('qom-list', { path: '/machine', paht: '/' });
      // @ts-expect-error of another type
      await vm.execute('block_resize', { size: '1' });
      // @ts-expect-error no such kind of object
      await vm.execute('object-add', { 'qom-type': 'nope', id: 'io0' });
    };
    expectTypeOf(calls).returns.resolves.toBeVoid();
  });

  it('tells events apart by their name', () => {
    const data = (event: GatewayEvent): unknown => {
      if (event.event === 'BLOCK_JOB_READY') expectTypeOf(event).toEqualTypeOf<QmpEvent<'BLOCK_JOB_READY'>>();
      if (event.event === 'BLOCK_JOB_READY') expectTypeOf(event.data.len).toEqualTypeOf<bigint>();
      if (event.event === 'gap') expectTypeOf(event.data.missed).toEqualTypeOf<number | null>();
      return event.data;
    };
    expectTypeOf(data).returns.toBeUnknown();
  });
});
