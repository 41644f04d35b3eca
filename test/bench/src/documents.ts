import { launchQemu } from '@qmp-gateway/test-kit';
import { startGateway, stopAll } from './processes.js';
import { median } from './statistics.js';
import { printTable } from './table.js';

const rounds = 3;
const reads = 20;

/** The OpenAPI document of a real VM: made once for a build, then read from memory. */
export async function benchDocuments(): Promise<void> {
  const qemu = await launchQemu({ machine: 'q35' });
  const first: number[] = [];
  const later: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const gateway = await startGateway({ bench: qemu.socket });
    const read = async () => {
      const started = performance.now();
      const response = await fetch(`http://127.0.0.1:${gateway.port}/v1/vms/bench/openapi.json`, {
        headers: { Authorization: `Bearer ${gateway.token}` },
      });
      await response.text();
      return performance.now() - started;
    };
    first.push(await read());
    for (let i = 0; i < reads; i++) later.push(await read());
    await stopAll();
  }
  await qemu.stop();
  printTable([
    ['the OpenAPI document of a VM', 'median'],
    ['the first time', `${median(first).toFixed(0)} ms`],
    ['after that', `${median(later).toFixed(1)} ms`],
  ]);
}
