import type { Execution } from '@qmp-gateway/qmp';
import { ManualClock } from '@qmp-gateway/test-kit';
import { beforeEach, describe, expect, it } from 'vitest';
import { VmSerials, type SerialVm } from './vm-serials.js';

const answers: Readonly<Record<string, unknown>> = {
  'query-chardev': [{ label: 'r0', filename: 'ringbuf' }],
  'qom-list': [{ name: 'com1', type: 'child<isa-serial>' }],
  'qom-get': 'r0',
};

let clock: ManualClock;
let silent: string;
let asked: string[];
let serials: VmSerials;

function execute(execution: Execution): void {
  const { command } = execution;
  asked.push(command);
  if (command === silent) execution.settle({ kind: 'unknown', cause: 'the connection was lost' });
  else execution.settle({ kind: 'return', value: Buffer.from(JSON.stringify(answers[command])) });
}

beforeEach(async () => {
  clock = new ManualClock();
  [silent, asked] = ['', []];
  const add = (turn: { send(): void }) => {
    turn.send();
    return true;
  };
  const vm = {
    ...{ id: 'web-1', definition: { endpoint: 'unix:/run/web-1' }, ready: true, condition: '' },
    ...{ ownMonitor: { chardevs: [] }, queue: { size: 0, bound: 1, add, serve: () => undefined } },
    schema: { model: { commands: new Map(Object.keys(answers).map((name) => [name, {}])) } },
    monitor: { places: 1, execute },
  } as unknown as SerialVm;
  serials = new VmSerials(vm, {
    settings: { attach: 'always', paths: [] },
    rules: { paths: [], own: { has: () => false }, endpoints: () => [] },
    ...{ claims: new Map(), nextRun: () => 'run-1', clock },
  });
  await serials.ready();
});

const ids = () => [...serials.all()].map(({ id }) => id);
const lineOf = (id: string) => [...serials.all()].find((line) => line.id === id);

describe('lines of a VM whose answers are lost', () => {
  it.each(['query-chardev', 'qom-list', 'qom-get'])('are those that were known, at %s', async (command) => {
    const line = lineOf('r0');
    line?.received(Buffer.from('kept'));
    silent = command;
    await serials.look();
    expect(lineOf('r0')).toBe(line);
    expect(line?.output.end).toBe(4);
  });

  it('are asked for again', async () => {
    silent = 'qom-list';
    await serials.ready();
    expect([ids(), serials.isKnown]).toEqual([['r0'], false]);
    silent = '';
    asked.length = 0;
    clock.advance(60_000);
    await expect.poll(() => serials.isKnown).toBe(true);
    expect(ids()).toEqual(['r0']);
    expect(asked).toContain('qom-get');
  });
});
