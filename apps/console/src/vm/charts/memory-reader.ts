import { GatewayProblem } from '@qmp-gateway/client';
import type { AskedVm, ChartGroup, ChartReader, Reading } from './chart-group.js';

export const memoryGroup: ChartGroup = {
  id: 'memory',
  title: 'Memory',
  charts: [
    {
      ...{ id: 'balloon', title: 'Memory of the guest', unit: 'bytes' },
      says: 'What the balloon leaves to the guest (query-balloon), and what the VM was started with (query-memory-size-summary).',
    },
  ],
  reader: () => new MemoryReader(),
};

const noBalloon =
  'This VM has no balloon device, so that it always has the memory it was started with. Start it with `-device virtio-balloon-pci` to see and change what the guest has.';

/** How much memory the guest has. */
export class MemoryReader implements ChartReader {
  async read({ client, signal }: AskedVm): Promise<Reading> {
    const balloon = await client.query('query-balloon', undefined, { signal }).catch((error: unknown) => {
      // QEMU refuses it with DeviceNotActive, and some accelerators with KVMMissingCap.
      if (error instanceof GatewayProblem && error.outcome === 'refused') return undefined;
      throw error;
    });
    if (balloon === undefined) return { kind: 'none', reason: noBalloon };
    const size = await client.query('query-memory-size-summary', undefined, { signal }).catch(() => undefined);
    const lines = new Map<string, number | null>([['guest has', Number(balloon.actual)]]);
    if (size !== undefined) lines.set('started with', Number(size['base-memory']));
    return { kind: 'values', charts: { balloon: lines } };
  }
}
