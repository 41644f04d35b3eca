import { describe, expect, it } from 'vitest';
import type { Reading } from './chart-group.js';
import { CpuReader } from './cpu-reader.js';
import { diskName, DiskReader, type BlockStats } from './disk-reader.js';
import { NetworkReader } from './network-reader.js';

/** The values of a chart as an object; a text where there is nothing to read. */
function valuesOf(reading: Reading, chart: string): object | string {
  return reading.kind === 'none' ? reading.reason : Object.fromEntries(reading.charts[chart] ?? []);
}

describe('disks', () => {
  const row = (bytes: bigint, operations: number, timeNs: bigint): BlockStats => ({
    device: 'drive0',
    stats: {
      ...{ rd_bytes: bytes, rd_operations: operations, rd_total_time_ns: timeNs },
      ...{ wr_bytes: 0, wr_operations: 0, wr_total_time_ns: 0 },
    },
  });

  it('have rates and a mean time, exact where counters are wide', () => {
    const reader = new DiskReader();
    const wide = 2n ** 63n;
    reader.reading([row(wide, 10, 0n)], 'e', 0);
    const reading = reader.reading([row(wide + 4096n, 20, 50_000_000n)], 'e', 2000);
    expect(valuesOf(reading, 'bytes')).toEqual({ 'drive0 read': 2048, 'drive0 write': 0 });
    expect(valuesOf(reading, 'operations')).toEqual({ 'drive0 read': 5, 'drive0 write': 0 });
    expect(valuesOf(reading, 'latency')).toEqual({ 'drive0 read': 5, 'drive0 write': null });
  });

  it('begin anew with a new session', () => {
    const reader = new DiskReader();
    reader.reading([row(100n, 1, 1n)], 'e1', 0);
    const reading = reader.reading([row(200n, 2, 2n)], 'e2', 1000);
    expect(valuesOf(reading, 'bytes')).toEqual({ 'drive0 read': null, 'drive0 write': null });
    expect(valuesOf(reading, 'latency')).toEqual({ 'drive0 read': null, 'drive0 write': null });
  });

  it('are called as people know them', () => {
    expect(diskName({ device: 'ide0-hd0', qdev: '/machine/unattached/device[23]' })).toBe('ide0-hd0');
    expect(diskName({ device: '', qdev: '/machine/peripheral/root/virtio-backend' })).toBe('root');
    expect(diskName({ 'node-name': 'node7' })).toBe('node7');
    expect(diskName({})).toBe('disk');
  });

  it('may be none', () => {
    expect(valuesOf(new DiskReader().reading([], 'e', 0), 'bytes')).toBe('This VM has no disks.');
  });
});

describe('CPUs', () => {
  const rows = (exits: bigint, wait: bigint) => [
    {
      'qom-path': '/machine/unattached/device[0]',
      stats: [
        { name: 'exits', value: exits },
        { name: 'halt_wait_ns', value: wait },
        { name: 'halt_poll_fail_ns', value: 0 },
      ],
    },
  ];

  it('are busy when they are not halted', () => {
    const reader = new CpuReader();
    reader.reading(rows(0n, 0n), 'e', 0);
    const reading = reader.reading(rows(500n, 750_000_000n), 'e', 1000);
    expect(valuesOf(reading, 'busy')).toEqual({ 'vCPU 0': 25 });
    expect(valuesOf(reading, 'exits')).toEqual({ 'vCPU 0': 500 });
    // A long halt counts when it ends.
    expect(valuesOf(reader.reading(rows(500n, 5_000_000_000n), 'e', 2000), 'busy')).toEqual({ 'vCPU 0': 0 });
  });

  it('of a VM without KVM say nothing, and why', () => {
    expect(valuesOf(new CpuReader().reading([], 'e', 0), 'busy')).toContain('without KVM');
  });
});

describe('the network', () => {
  const rows = (received: number) => [
    { name: 'lo', statistics: { 'rx-bytes': 9, 'tx-bytes': 9 } },
    { name: 'eth0', statistics: { 'rx-bytes': received, 'tx-bytes': 0, 'rx-packets': 1, 'tx-packets': 0 } },
  ];

  it('is what the guest counts, without its loopback', () => {
    const reader = new NetworkReader();
    reader.reading(rows(100), 'e', 0);
    expect(valuesOf(reader.reading(rows(1100), 'e', 500), 'bytes')).toEqual({ 'eth0 received': 2000, 'eth0 sent': 0 });
  });

  it('is not to be had where the guest says nothing', () => {
    expect(valuesOf(new NetworkReader().reading([{ name: 'eth0' }], 'e', 0), 'bytes')).toContain('no interface');
  });
});
