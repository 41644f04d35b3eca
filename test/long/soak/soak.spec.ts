/** Minutes of everything at once: `npm run soak -- --minutes N`, five of them with the long tests. */
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { AgentScene } from '../../e2e/agent-scene.js';
import { fakeMachineSettings } from '../../e2e/fake-machine.js';
import { exchange } from '../../e2e/http-exchange.js';
import { randomNumbers, seedOf } from '../../e2e/random-numbers.js';
import { subscribeByLines } from '../event-subscribers.js';
import { bounds, excessive, growthOf, type Sample } from './growth.js';
import { measurable, ProcessProbe } from './process-probe.js';
import { SoakClients } from './soak-clients.js';
import { startVms } from './soak-vms.js';
import { median } from './trend.js';
import { Workload } from './workload.js';

const minutes = Number(process.env['SOAK_MINUTES'] ?? 5);
/** Until then buffers, histories and stores fill to their bounds. */
const warmUpMinutes = 2;
const settleMs = 60_000;
const sampleEveryMs = 10_000;
const scene = new AgentScene();

afterEach(() => scene.end());

it(
  `${minutes} minutes: memory flat, no handle more, nobody told what they should not be`,
  { timeout: (minutes + 4) * 60_000 },
  async () => {
    const random = randomNumbers(seedOf('soak'));
    const monitors = path.join(scene.directory(), 'monitors');
    const gateway = await scene.gateway({
      settings: {
        ...fakeMachineSettings,
        // Full within the warm-up.
        history: { events: 400, bytes: '1MiB' },
        monitorSockets: { dir: monitors },
        listen: ['127.0.0.1:0'],
      },
      listen: [],
      args: ['--log-level', 'error'],
      env: measurable,
    });
    const [clients, surroundings] = [new Workload(), new Workload()];
    const vms = await startVms(scene, gateway, surroundings, random);
    const { cursor } = (await exchange(gateway, '/v1/vms')).json() as { cursor: string };
    const subscriber = scene.keep(await subscribeByLines(gateway, cursor), (open) => open.close());
    const probe = scene.keep(await ProcessProbe.attach(gateway), (attached) => attached.close());
    const soak = new SoakClients(gateway, vms, random, monitors);
    await surroundings.standStill();
    await soak.fill();
    surroundings.goOn();
    soak.start(clients);
    // Commands of every kind take the places of those that filled the stores.
    await pause(settleMs);
    soak.latencies = [];

    const began = performance.now();
    const minute = () => (performance.now() - began) / 60_000;
    const samples: Sample[] = [];
    while (minute() < minutes) {
      await pause(sampleEveryMs);
      await clients.standStill();
      await surroundings.standStill();
      const turns = Object.values(clients.turns).reduce((sum, count) => sum + count, 0);
      samples.push({ minute: minute(), latencyMs: median(soak.latencies), turns, ...(await probe.measure()) });
      soak.latencies = [];
      surroundings.goOn();
      clients.goOn();
    }
    await clients.end();
    await surroundings.end();
    vms.release();
    // While it is attached the process does not end.
    probe.close();
    const { cursor: end } = (await exchange(gateway, '/v1/vms')).json() as { cursor: string };
    await subscriber.tally.reached(Number(end.slice(end.lastIndexOf('.') + 1)));

    const growth = growthOf(samples.filter((sample) => sample.minute > Math.min(warmUpMinutes, minutes / 2)));
    const { events, gaps, faults, unaccounted } = subscriber.tally;
    for (const sample of samples) process.stdout.write(`${JSON.stringify(sample)}\n`);
    for (const said of [growth, { events, gaps }, clients.turns, surroundings.turns, soak.problems])
      process.stdout.write(`${JSON.stringify(said)}\n`);
    expect({ clients: clients.faults, surroundings: surroundings.faults }).toEqual({ clients: [], surroundings: [] });
    expect(soak.unexpected.slice(0, 10)).toEqual([]);
    expect([faults, unaccounted]).toEqual([[], 0]);
    expect({ excessive: excessive(growth), growth, bounds }).toEqual({ excessive: [], growth, bounds });
  },
);
