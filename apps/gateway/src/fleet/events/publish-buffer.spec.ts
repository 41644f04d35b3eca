import { ManualClock } from '@qmp-gateway/test-kit';
import { describe, expect, it } from 'vitest';
import { eventRecord, snapshotOf, type EventParts } from '../../events/event-record.js';
import { EventLineReader } from './event-line.js';
import { PublishBuffer } from './publish-buffer.js';

const whole = { bytes: 64 * 1024, lines: 4095, longest: 1_000_000 };
const read = (lines: readonly string[]) => {
  const reader = new EventLineReader();
  return lines.map((line) => reader.read(line) as EventParts);
};
const shown = (lines: readonly string[]) =>
  read(lines).map(
    ({ source, name, missed }) => `${source.id} ${name}${missed === undefined ? '' : ` ${String(missed)}`}`,
  );

function bufferOf(bounds = { bytes: 1_000_000, perVmRate: 1_000_000 }) {
  const clock = new ManualClock();
  const buffer = new PublishBuffer(bounds, clock);
  let n = 0;
  const add = (vm: string, name: string, data = '{}') =>
    buffer.add(
      eventRecord(++n, {
        source: snapshotOf({ id: vm, labels: {}, epoch: 'e' }),
        name,
        data,
        timestamp: '{}',
        receivedAt: 0,
      }),
    );
  return { clock, buffer, add };
}

describe('events on their way to the fleet', () => {
  it('go out in their order over all VMs', () => {
    const { buffer, add } = bufferOf();
    add('a', 'STOP');
    add('b', 'STOP');
    add('a', 'vm-changed');
    add('a', 'RESUME');
    expect(shown(buffer.take(whole).lines)).toEqual(['a STOP', 'b STOP', 'a vm-changed', 'a RESUME']);
    expect(buffer.isEmpty).toBe(true);
  });

  it('go out in batches of so many bytes and lines, the rest with the next', () => {
    const { buffer, add } = bufferOf();
    for (let at = 0; at < 10; at++) add('a', 'STOP', `{"at":${at},"x":"${'x'.repeat(1000)}"}`);
    expect(buffer.take({ ...whole, bytes: 3600 }).lines).toHaveLength(3);
    expect(buffer.take({ ...whole, lines: 2 }).lines).toHaveLength(2);
    expect(buffer.take({ ...whole, bytes: 1 }).lines).toHaveLength(1);
    expect(read(buffer.take(whole).lines).map(({ data }) => (JSON.parse(data) as { at: number }).at)).toEqual([
      6, 7, 8, 9,
    ]);
  });

  it('cost the VM that holds most, in one gap with their number, and no VM its state', () => {
    const { buffer, add } = bufferOf({ bytes: 20_000, perVmRate: 1_000_000 });
    add('loud', 'vm-changed');
    add('quiet', 'STOP');
    for (let at = 0; at < 500; at++) add('loud', 'NIC_RX_FILTER_CHANGED');
    const lines = shown(buffer.take(whole).lines);
    const kept = lines.filter((line) => line === 'loud NIC_RX_FILTER_CHANGED').length;
    const gaps = lines.filter((line) => line.startsWith('loud gap'));
    expect(gaps).toEqual([`loud gap ${500 - kept}`]);
    expect(buffer.dropped).toBe(500 - kept);
    expect(kept).toBeGreaterThan(10);
    expect(lines.slice(0, 3)).toEqual(['loud vm-changed', 'quiet STOP', gaps[0]]);
  });

  it('give each VM its share of a batch while there is a backlog, in their order', () => {
    const { buffer, add } = bufferOf({ bytes: 10_000_000, perVmRate: 1_000_000 });
    for (let at = 0; at < 2000; at++) add('loud', 'STOP', `{"at":${at}}`);
    for (let at = 0; at < 3; at++) add('quiet', 'STOP', `{"at":${at}}`);
    add('loud', 'vm-changed');
    const first = read(buffer.take(whole).lines);
    expect(first.filter(({ source }) => source.id === 'quiet')).toHaveLength(3);
    expect(first.length).toBeGreaterThan(300);
    const rest: EventParts[] = [];
    while (!buffer.isEmpty) rest.push(...read(buffer.take(whole).lines));
    const loud = [...first, ...rest].filter(({ source }) => source.id === 'loud');
    expect(loud.map(({ name, data }) => name + data)).toEqual([
      ...Array.from({ length: 2000 }, (_, at) => `STOP{"at":${at}}`),
      'vm-changed{}',
    ]);
  });

  it('are those within the rate of their VM; the others are a gap', () => {
    const { clock, buffer, add } = bufferOf({ bytes: 1_000_000, perVmRate: 10 });
    for (let at = 0; at < 25; at++) add('a', 'STOP');
    add('b', 'STOP');
    for (let at = 0; at < 25; at++) add('a', 'vm-changed');
    const lines = shown(buffer.take(whole).lines);
    expect(lines.filter((line) => line === 'a STOP')).toHaveLength(10);
    expect(lines.filter((line) => line === 'a vm-changed')).toHaveLength(25);
    expect(lines).toContain('a gap 15');
    expect(lines).toContain('b STOP');
    clock.advance(500);
    for (let at = 0; at < 25; at++) add('a', 'STOP');
    expect(shown(buffer.take(whole).lines)).toEqual([...Array<string>(5).fill('a STOP'), 'a gap 20']);
  });

  it('are told as a gap where one alone is too long for the stream', () => {
    const { buffer, add } = bufferOf();
    add('a', 'STOP', `{"x":"${'x'.repeat(5000)}"}`);
    add('a', 'RESUME');
    expect(shown(buffer.take({ ...whole, longest: 4000 }).lines)).toEqual(['a gap 1', 'a RESUME']);
  });
});
