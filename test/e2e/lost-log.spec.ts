import { afterEach, describe, expect, it } from 'vitest';
import { GatewayScene } from './gateway-scene.js';

const scene = new GatewayScene();
afterEach(() => scene.end());

describe('a gateway whose output nobody reads any more', () => {
  it.each([
    ['the addresses', ['stdout']],
    ['the log', ['stderr']],
    ['both', ['stdout', 'stderr']],
  ] as const)('%s: serves, counts the lines it lost, and ends when it is told to', async (_what, streams) => {
    const gateway = await scene.gateway({ settings: {} });
    for (const stream of streams) gateway.process[stream]?.destroy();
    const lostLines = async () => {
      const metrics = await (await gateway.fetch('/metrics')).text();
      return Number(/^qmpgw_log_lost_lines_total (\d+)$/m.exec(metrics)?.[1]);
    };
    // Each reload is a line of the log.
    for (let reload = 0; reload < 3; reload++) {
      gateway.process.kill('SIGHUP');
      expect((await gateway.fetch('/livez')).status).toBe(200);
    }
    if ((streams as readonly string[]).includes('stderr'))
      while ((await lostLines()) === 0) expect((await gateway.fetch('/v1/vms')).status).toBe(200);
    else expect(await lostLines()).toBe(0);
    expect(await gateway.stop()).toBe(0);
  });
});
