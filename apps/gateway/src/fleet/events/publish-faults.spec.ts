import { ManualClock } from '@qmp-gateway/test-kit';
import { expect, it } from 'vitest';
import { PublishFaults } from './publish-faults.js';

it('tells a refusal of JetStream that lasts, once, and its end', () => {
  const clock = new ManualClock();
  const told: (string | undefined)[] = [];
  const faults = new PublishFaults(clock, (fault) => told.push(fault));
  const full = Object.assign(new Error('insufficient resources'), { code: 10023 });
  faults.failed(full);
  clock.advance(14_999);
  faults.failed(full);
  expect(told).toEqual([]);
  clock.advance(1);
  for (let at = 0; at < 3; at++) faults.failed(full);
  expect(told).toEqual(['JetStream takes no events: insufficient resources (10023)']);
  faults.failed(Object.assign(new Error('no'), { name: 'JetStreamNotEnabled' }));
  expect(told.slice(1)).toEqual(['JetStream is not enabled']);
  faults.succeeded();
  faults.succeeded();
  expect(told.slice(2)).toEqual([undefined]);
  faults.failed(full);
  expect(told).toHaveLength(3);
});

it('tells no silence', () => {
  const clock = new ManualClock();
  const told: unknown[] = [];
  const faults = new PublishFaults(clock, (fault) => told.push(fault));
  for (let at = 0; at < 10; at++) {
    faults.failed(new Error('timeout'));
    clock.advance(2000);
  }
  expect(told).toEqual([]);
});
