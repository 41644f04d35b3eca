import { expect, it } from 'vitest';
import { CommandMetrics } from './command-metrics.js';

it('counts a thousand names of a kind by themselves, and the others together', () => {
  const metrics = new CommandMetrics();
  for (let round = 0; round < 2; round++)
    for (let n = 0; n < 5000; n++) {
      const target = { server: { kind: 'qemu' }, command: { name: `x-${n}` } };
      metrics.answered({ target, answer: { ok: true, json: '{}', trace: {} }, durationMs: 1 });
    }
  const counted = metrics.commands.get('qemu');
  expect(counted?.size).toBe(1001);
  expect(counted?.get('x-999')?.get('done')).toBe(2);
  expect(counted?.get('other')?.get('done')).toBe(8000);
});
