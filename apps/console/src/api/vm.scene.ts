import type { Vm } from '@qmp-gateway/client';

/** A row as the gateway has it, for specs. */
export function vmRow(id: string, more: Partial<Vm> = {}): Vm {
  return {
    ...{ id, state: 'ready', health: 'ok', runState: 'running', since: '2026-01-01T00:00:00.000Z', epoch: 'k.1' },
    ...{ kind: 'qemu', version: '10.2.0', package: null, name: null, uuid: null, capabilities: [], schema: null },
    ...{ source: 'settings', labels: {}, display: true, lastError: null },
    ...more,
  };
}
