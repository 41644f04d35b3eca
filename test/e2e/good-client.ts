import { expect } from 'vitest';
import type { GatewayProcess } from './gateway-process.js';
import { exchange } from './http-exchange.js';

/** Preloaded into a gateway: on SIGUSR2 it tells, as a line of its log, what it holds after a garbage collection. */
const probe = `
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
process.on('SIGUSR2', () => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  process.stderr.write(JSON.stringify({ held: heapUsed + external }) + '\\n');
});`;

/** Environment of a gateway whose memory is to be looked at. */
export const probedMemory = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(probe)}` };

/** Bytes a gateway with {@link probedMemory} can't give back. */
export async function heldBytes(gateway: GatewayProcess): Promise<number> {
  const told = () => gateway.log().filter((record) => 'held' in record);
  const before = told().length;
  gateway.process.kill('SIGUSR2');
  await expect.poll(() => told().length, { timeout: 10_000 }).toBeGreaterThan(before);
  return Number(told().at(-1)?.['held']);
}

/** Generous: the machine is shared by all tests. What it took is printed. */
const servedWithinMs = 5_000;
/** What caches, pools and the history of events may have grown by. */
const allowedGrowth = 24 * 2 ** 20;

/** Somebody with credentials and nothing to do with an attack: a new connection, a command, an answer. */
export class GoodClient {
  readonly #times: string[] = [];
  #heldBefore = 0;

  constructor(
    private readonly gateway: GatewayProcess,
    private readonly vm: string,
    private readonly command: string,
  ) {}

  /** Remembers what the gateway holds in peace. */
  async before(): Promise<void> {
    this.#times.length = 0;
    await this.isServed('before');
    this.#heldBefore = await heldBytes(this.gateway);
  }

  async isServed(when: string): Promise<void> {
    const began = performance.now();
    const answer = await exchange(this.gateway, `/v1/vms/${this.vm}/qmp/${this.command}`, { method: 'POST' });
    const took = performance.now() - began;
    expect(answer.status, answer.text).toBe(200);
    this.#times.push(`${when} ${took.toFixed(1)} ms`);
    expect(took).toBeLessThan(servedWithinMs);
  }

  /** Is served, and the gateway holds what it held before: the attack is over, and so is what it cost. */
  async afterwards(attack: string): Promise<void> {
    await this.isServed('after');
    let held = 0;
    await expect
      .poll(async () => (held = await heldBytes(this.gateway)) - this.#heldBefore, { timeout: 30_000, interval: 250 })
      .toBeLessThan(allowedGrowth);
    const grown = ((held - this.#heldBefore) / 2 ** 20).toFixed(1);
    process.stdout.write(`${attack}: a good client ${this.#times.join(', ')}; held ${grown} MiB more\n`);
  }
}
