import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLines } from './event-readers.js';
import { change, echo, fakeMachine, fakeMachineSettings, type FakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, registerVm } from './gateway-scene.js';
import { exchange, problemOf, type Exchange } from './http-exchange.js';

interface Line {
  vm?: string;
  status?: number;
  cursor?: string;
  return?: unknown;
  problem?: Record<string, unknown>;
  end?: boolean;
}

const scene = new GatewayScene();
let gateway: GatewayProcess;

beforeAll(async () => (gateway = await scene.gateway({ settings: fakeMachineSettings })));
afterAll(() => scene.end());

function lines(answer: Exchange): Line[] {
  expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/x-ndjson']);
  expect(answer.text.endsWith('\n')).toBe(true);
  return answer.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

/** Machines that share a label of their own. */
async function fleet(size: number): Promise<{ label: string; machines: FakeMachine[]; ids: string[] }> {
  const machines = await Promise.all(Array.from({ length: size }, () => fakeMachine(scene)));
  const name = machines[0]?.endpoint.replaceAll(/[^A-Za-z0-9]/g, '') ?? '';
  const ids: string[] = [];
  for (const { endpoint } of machines) ids.push(await registerVm(gateway, endpoint, { labels: { fleet: name } }));
  return { label: `label=fleet=${name}`, machines, ids };
}

describe('a fan-out', () => {
  it('is a line per VM as it answers, then the end', async () => {
    const { label, ids, machines } = await fleet(5);
    const answer = await exchange(gateway, `/v1/qmp/${echo}?${label}`, { body: '{"integer":9223372036854775807}' });
    const told = lines(answer);
    expect(told.at(-1)).toEqual({ end: true, selected: 5, ok: 5, failed: 0 });
    expect(
      told
        .slice(0, -1)
        .map(({ vm, status }) => [vm, status])
        .sort(),
    ).toEqual(ids.map((id) => [id, 200]).sort());
    for (const line of answer.text.split('\n').slice(0, 5))
      expect(line).toMatch(
        /^\{"vm":"vm-\d+","status":200,"cursor":"[a-z0-9]+\.\d+","return":\{"integer":9223372036854775807\}\}$/,
      );
    for (const machine of machines) expect(machine.takeReceived()).toEqual([echo]);
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('tells the problem of each VM that has one', async () => {
    const { label, ids, machines } = await fleet(4);
    machines[0]?.fake.on(change, () => ({ error: { class: 'DeviceNotFound', desc: 'none' } }));
    machines[1]?.fake.on(change, ({ connection }) => {
      connection.socket.destroy();
      return null;
    });
    await machines[2]?.fake.stop();
    await gateway.vmBecomes(ids[2] ?? '', 'waiting');
    const told = lines(await exchange(gateway, `/v1/qmp/${change}?${label}`, { method: 'POST' }));
    expect(told.at(-1)).toEqual({ end: true, selected: 4, ok: 1, failed: 3 });
    const of = (at: number) => told.find(({ vm }) => vm === ids[at]);
    expect(of(0)).toMatchObject({ status: 404, problem: { code: 'device-not-found', outcome: 'refused', vm: ids[0] } });
    expect(of(1)).toMatchObject({ status: 502, problem: { code: 'outcome-unknown', outcome: 'unknown' } });
    expect(of(2)).toMatchObject({ status: 503, problem: { code: 'vm-unavailable', outcome: 'not-sent' } });
    expect(of(3)).toMatchObject({ status: 200, return: {} });
  });

  it('waits for a silent VM no longer than its deadline, and the others do not wait for it', async () => {
    const { label, ids, machines } = await fleet(3);
    machines[1]?.fake.on(echo, () => null);
    const path = `/v1/qmp/${echo}?${label}&timeout=700ms`;
    const stream = scene.keep(await openLines(gateway, path, '*/*', 'POST'), (open) => open.close());
    const first = [JSON.parse((await stream.line()) ?? ''), JSON.parse((await stream.line()) ?? '')] as Line[];
    expect(first.map(({ status }) => status)).toEqual([200, 200]);
    expect(JSON.parse((await stream.line()) ?? '')).toMatchObject({
      ...{
        vm: ids[1],
        status: 504,
        problem: { code: 'deadline-exceeded', operation: expect.stringContaining(ids[1] ?? '') },
      },
    });
    expect(JSON.parse((await stream.line()) ?? '')).toEqual({ end: true, selected: 3, ok: 2, failed: 1 });
    expect(await stream.line()).toBeNull();
  });

  it('asks the VMs of its selectors and no others', async () => {
    const { label, ids, machines } = await fleet(3);
    const some = await exchange(gateway, `/v1/qmp/${echo}?vm=${ids[0] ?? ''}&vm=${ids[1] ?? ''}`, { method: 'POST' });
    expect(lines(some).at(-1)).toEqual({ end: true, selected: 2, ok: 2, failed: 0 });
    expect(machines.map((machine) => machine.takeReceived().length)).toEqual([1, 1, 0]);
    const both = await exchange(gateway, `/v1/qmp/${echo}?vm=${ids[2] ?? ''}&${label}`, { method: 'POST' });
    expect(lines(both).at(-1)).toMatchObject({ selected: 1 });
    const token = makeToken(gateway, { level: 'operate', vms: [ids[0] ?? ''] });
    const headers = { Authorization: `Bearer ${token}` };
    const all = await exchange(gateway, `/v1/qmp/${echo}?vm=*`, { method: 'POST', headers });
    expect(lines(all).map(({ vm }) => vm)).toEqual([ids[0], undefined]);
  });

  it('is a problem as a whole before anything is sent', async () => {
    const { label, machines } = await fleet(2);
    const whole = async (query: string, options = {}) =>
      problemOf(await exchange(gateway, `/v1/qmp/${change}${query}`, { method: 'POST', ...options }));
    expect(await whole('')).toMatchObject({ status: 400, code: 'invalid-request', outcome: 'not-sent' });
    expect(await whole('?vm=nobody*')).toMatchObject({ status: 404, code: 'vm-not-found' });
    expect(await whole(`?${label}&lable=a=b`)).toMatchObject({ status: 400, errors: [{ suggestions: ['label'] }] });
    expect(await whole(`?${label}`, { body: '{"integer":' })).toMatchObject({ code: 'malformed-json' });
    const text = { body: '{}', headers: { 'Content-Type': 'text/plain' } };
    expect(await whole(`?${label}`, text)).toMatchObject({ code: 'unsupported-media-type' });
    const token = makeToken(gateway, { level: 'read', vms: ['*'] });
    expect(await whole(`?${label}`, { headers: { Authorization: `Bearer ${token}` } })).toMatchObject({
      ...{ status: 403, code: 'forbidden', outcome: 'not-sent' },
    });
    expect(await whole(`?${label}`, { method: 'GET' })).toMatchObject({ status: 405, code: 'method-not-allowed' });
    for (const machine of machines) expect(machine.takeReceived()).toEqual([]);
  });

  it('dry: says what each would be sent', async () => {
    const { label, machines } = await fleet(2);
    const told = lines(await exchange(gateway, `/v1/qmp/${change}?${label}&dryRun=true`, { body: '{"integer":1}' }));
    expect(told.slice(0, 2).map((line) => line.return)).toEqual(
      Array(2).fill({ wouldSend: { execute: change, arguments: { integer: 1 } }, class: 'operate' }),
    );
    for (const machine of machines) expect(machine.takeReceived()).toEqual([]);
  });
});
