import { StratovirtFake } from '@qmp-gateway/test-kit';
import { afterEach, expect, it } from 'vitest';
import { FaultScene } from '../e2e/fault-scene.js';
import { registerVm, run } from '../e2e/gateway-scene.js';

const clients = 20;
const commands = 1000;
const scene = new FaultScene();

afterEach(() => scene.end());

it('StratoVirt takes 1,000 commands of 20 clients: none throttled, none lost, none mixed up', async () => {
  const fake = scene.keep(await StratovirtFake.start(), (made) => made.stop());
  fake.handlers.set('query-mem-gpa', (args) => ({ json: JSON.stringify((args as { gpa: string }).gpa) }));
  const gateway = await scene.gateway();
  const vm = await registerVm(gateway, `unix:${fake.endpoint.path}`);
  const began = performance.now();
  const client = async (number: number): Promise<void> => {
    for (let turn = 0; turn < commands / clients; turn++) {
      const gpa = `${number}-${turn}`;
      const answer = await run(gateway, vm, 'query-mem-gpa', {
        args: JSON.stringify({ gpa }),
        headers: { 'Request-Timeout': '60s' },
      });
      expect([answer.status, answer.text]).toEqual([200, JSON.stringify(gpa)]);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  const seconds = (performance.now() - began) / 1000;
  expect(fake.executed.filter((name) => name === 'query-mem-gpa')).toHaveLength(commands);
  expect(fake.offences).toEqual([]);
  process.stdout.write(
    `${JSON.stringify({ commands, clients, seconds, perSecond: Math.round(commands / seconds) })}\n`,
  );
});
