import { ManualClock } from '@qmp-gateway/test-kit';
import { describe, expect, it } from 'vitest';
import { HealthWatch, type Health } from './health-watch.js';

/** A session of which the test says when a command was sent and how the probe is answered. */
function watched(oob: boolean): {
  clock: ManualClock;
  watch: HealthWatch;
  told: Health[];
  probes: (() => void)[];
  send: () => void;
  answer: () => void;
} {
  const clock = new ManualClock();
  const told: Health[] = [];
  const probes: (() => void)[] = [];
  let since: number | null = null;
  const watch = new HealthWatch(clock, {
    oldestAge: () => (since === null ? null : clock.now() - since),
    probe: oob ? (answered) => void probes.push(answered) : null,
    changed: (health) => told.push(health),
  });
  return {
    ...{ clock, watch, told, probes },
    send: () => {
      since = clock.now();
      watch.sent();
    },
    answer: () => {
      since = null;
      watch.answered();
    },
  };
}

describe('HealthWatch', () => {
  it('runs no timer while nothing is unanswered', () => {
    const { clock, send, answer, told } = watched(true);
    send();
    answer();
    clock.advance(10_000);
    expect(clock.pending).toBe(0);
    expect(told).toEqual([]);
  });

  it('is slow within a second of five when the probe is answered, and ok at the reply', () => {
    const { clock, send, answer, told, probes, watch } = watched(true);
    send();
    clock.advance(5000);
    expect(probes).toHaveLength(0);
    clock.advance(1000);
    probes.shift()!();
    expect(told).toEqual(['slow']);
    answer();
    expect(told).toEqual(['slow', 'ok']);
    expect(watch.health).toBe('ok');
  });

  it('is unresponsive when the probe is unanswered for two seconds, slow when it is answered after all', () => {
    const { clock, send, told, probes } = watched(true);
    send();
    clock.advance(7000);
    expect(told).toEqual([]);
    clock.advance(1000);
    expect(told).toEqual(['unresponsive']);
    expect(probes).toHaveLength(1);
    clock.advance(60_000);
    expect(probes).toHaveLength(1);
    probes.shift()!();
    expect(told).toEqual(['unresponsive', 'slow']);
    clock.advance(1100);
    expect(probes).toHaveLength(1);
  });

  it('goes by age alone without out-of-band execution', () => {
    const { clock, send, answer, told } = watched(false);
    send();
    clock.advance(9999);
    expect(told).toEqual([]);
    clock.advance(1001);
    expect(told).toEqual(['unresponsive']);
    answer();
    expect(told).toEqual(['unresponsive', 'ok']);
  });

  it('says nothing after it was stopped', () => {
    const { clock, send, watch, told, probes } = watched(true);
    send();
    clock.advance(6000);
    watch.stop();
    probes.shift()!();
    clock.advance(60_000);
    expect(told).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
