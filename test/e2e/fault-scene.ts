import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import type { GatewayOptions, GatewayProcess } from './gateway-process.js';
import { GatewayScene } from './gateway-scene.js';
import { exchange } from './http-exchange.js';

/** Commands that were answered with a deadline may end this much after their scenario. */
const quietDeadlineMs = 10_000;

/** A scene of faults: when it ends, what must hold after every fault is asserted of each of its gateways. */
export class FaultScene extends GatewayScene {
  #gateways: GatewayProcess[] = [];

  override async gateway(options: GatewayOptions = {}): Promise<GatewayProcess> {
    // Its audit log is read after its end.
    const state = options.state ?? path.join(this.directory(), 'state');
    const gateway = await super.gateway({ ...options, state });
    this.#gateways.push(gateway);
    return gateway;
  }

  override async end(): Promise<void> {
    try {
      for (const gateway of this.#gateways.splice(0)) await expectInvariants(gateway);
    } finally {
      await super.end();
    }
  }
}

/**
 * Every command has ended, exactly once and with one audit record; nothing was left to chance in the process; it ends
 * in an orderly way.
 */
async function expectInvariants(gateway: GatewayProcess): Promise<void> {
  const counted = gateway.process.exitCode === null ? await countedWhenQuiet(gateway) : undefined;
  expect(await gateway.stop()).toBe(0);
  expect(gateway.stderr()).not.toMatch(/unhandled|uncaught|internal error/i);
  // Lines of work that ended after its command's belong to no request.
  const records = auditRecords(gateway).filter((record) => 'command' in record && 'request' in record);
  const [late, first] = [
    records.filter((record) => record['late'] === true),
    records.filter((record) => !record['late']),
  ];
  if (counted !== undefined) expect(first).toHaveLength(counted);
  const ended = first.flatMap(({ operation }) => (typeof operation === 'string' ? [operation] : []));
  expect(new Set(ended).size).toBe(ended.length);
  const abandoned = first.filter(({ problem }) => problem === 'deadline-exceeded').map(({ operation }) => operation);
  const endedLate = late.map(({ operation }) => operation);
  expect(new Set(endedLate).size).toBe(endedLate.length);
  expect(endedLate.filter((operation) => !abandoned.includes(operation))).toEqual([]);
}

/** How many commands its metrics say there were, when all have ended. */
async function countedWhenQuiet(gateway: GatewayProcess): Promise<number> {
  await becomesQuiet(gateway);
  return sumOf(await metrics(gateway), 'qmpgw_commands_total');
}

/** Waits until no VM and no agent has a command in flight or waiting. */
async function becomesQuiet(gateway: GatewayProcess): Promise<void> {
  const deadline = performance.now() + quietDeadlineMs;
  for (;;) {
    const text = await metrics(gateway);
    const pending = ['vm', 'agent'].reduce((sum, server) => {
      const [inFlight, queued] = [`qmpgw_${server}_commands_in_flight`, `qmpgw_${server}_commands_queued`];
      return sum + sumOf(text, inFlight) + sumOf(text, queued);
    }, 0);
    if (pending === 0) return;
    if (performance.now() > deadline) expect(pending).toBe(0);
  }
}

async function metrics(gateway: GatewayProcess): Promise<string> {
  const answer = await exchange(gateway, '/metrics');
  expect(answer.status).toBe(200);
  return answer.text;
}

/** The sum over all label sets of a metric. */
export function sumOf(metricsText: string, name: string): number {
  const values = [...metricsText.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

/** One anomaly count of a VM. */
export async function anomalies(gateway: GatewayProcess, vm: string, kind: string): Promise<number> {
  return sumOf(await metrics(gateway), `qmpgw_vm_anomalies_total\\{vm="${vm}",kind="${kind}"\\}`);
}

function auditRecords({ state }: GatewayProcess): Record<string, unknown>[] {
  const lines = readFileSync(path.join(state, 'audit.log'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}
