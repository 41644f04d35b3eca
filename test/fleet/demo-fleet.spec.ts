import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { RunningDemo, widest, type Pasted } from '../e2e/running-demo.js';

const rows = ({ body }: Pasted, of: 'vms' | 'nodes') =>
  (JSON.parse(body) as Record<string, Record<string, unknown>[]>)[of] ?? [];

describe('the demo of a fleet', () => {
  it(
    'prints lines that work as printed, also those after a node was killed, and leaves nothing behind',
    {
      timeout: 300_000,
    },
    async () => {
      const demo = await RunningDemo.start('scripts/demo-fleet.js');
      try {
        const [kill = '', ...others] = demo.lines.filter((line) => line.startsWith('kill '));
        expect(others).toEqual([]);
        const at = demo.lines.indexOf(kill);
        const isCurl = (line: string) => line.startsWith('curl ');
        const before = demo.lines.slice(0, at).filter(isCurl);
        const [refused = '', listed = '', nodes = '', answered = '', forgotten = ''] = demo.lines
          .slice(at)
          .filter(isCurl);
        for (const line of [...demo.exports, ...demo.curls]) expect(line.length, line).toBeLessThanOrEqual(widest);
        for (const line of before) {
          const pasted = await demo.paste(line);
          expect(pasted).toMatchObject({ line, status: expect.stringMatching(/^2\d\d$/) as string });
          if (line.includes('-sSi')) expect(pasted.body).toContain('QMP-Node: c\r\n');
          if (line.endsWith('/v1/vms')) expect(rows(pasted, 'vms')).toHaveLength(5);
          if (line.includes('event=STOP')) expect(pasted.body).toContain('"vm":"cache-1"');
          if (line.includes('vm=*')) expect(pasted.body).toContain('"selected":5,"ok":5,"failed":0');
        }

        expect(demo.started).toHaveLength(9);
        expect(existsSync(demo.directory)).toBe(true);
        process.kill(Number(kill.split(' ').at(-1)), 'SIGKILL');
        // Its connections end with its last thread, and NATS has to notice: until then the outcome is unknown.
        const refusal = async () => {
          const { status, body } = await demo.paste(refused);
          return [status, JSON.parse(body)] as const;
        };
        await expect
          .poll(refusal, { timeout: 30_000 })
          .toMatchObject(['503', { code: 'vm-unavailable', outcome: 'not-sent', retryable: true }]);
        const states = async () => rows(await demo.paste(listed), 'vms').map(({ state }) => state);
        while ((await states()).some((state) => state !== 'unreachable')) await pause(100);
        expect(await states()).toEqual(['unreachable', 'unreachable']);
        expect(rows(await demo.paste(nodes), 'nodes').map(({ state }) => state)).toEqual([
          'reachable',
          'unreachable',
          'reachable',
        ]);
        expect(await demo.paste(answered)).toMatchObject({ status: '200' });
        expect(await demo.paste(forgotten)).toMatchObject({ status: '204' });
        expect(rows(await demo.paste(nodes), 'nodes')).toHaveLength(2);
        expect(await demo.interrupt()).toEqual({ status: 0, left: [] });
      } finally {
        await demo.end();
      }
    },
  );

  it('leaves nothing behind when it is interrupted before it is ready', async () => {
    const demo = RunningDemo.begin('scripts/demo-fleet.js');
    try {
      // NATS, the VMs and the first gateway.
      while (demo.started.length < 7) await pause(20);
      expect(await demo.interrupt()).toEqual({ status: 0, left: [] });
    } finally {
      await demo.end();
    }
  });
});
