import { readFileSync } from 'node:fs';
import path from 'node:path';
import { FaultProxy, RawQmpClient, blockingFifo, launchQemu } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { change, echo, fakeMachine, fakeMachineSettings } from './fake-machine.js';
import { anomalies, FaultScene } from './fault-scene.js';
import type { GatewayProcess } from './gateway-process.js';
import { registerVm, run, runningOperations } from './gateway-scene.js';
import { exchange, problemOf, type Exchange } from './http-exchange.js';
import { JsonRpcClient } from './json-rpc-client.js';

const scene = new FaultScene();

afterEach(() => scene.end());

/** Waits by the VM's own events until its view holds this. */
async function vmShows(gateway: GatewayProcess, vm: string, member: string, value: unknown): Promise<void> {
  const list = (await exchange(gateway, `/v1/vms?vm=${vm}`)).json() as {
    vms: Record<string, unknown>[];
    cursor: string;
  };
  let shown = list.vms[0]?.[member];
  for (let after = list.cursor; shown !== value;) {
    const page = (await exchange(gateway, `/v1/vms/${vm}/events?event=vm-changed&wait=30s&after=${after}`)).json() as {
      events: { data: Record<string, unknown> }[];
      cursor: string;
    };
    shown = page.events.map(({ data }) => data[member]).find((seen) => seen === value);
    after = page.cursor;
  }
}

/** What became of the command that this answer told the deadline of, once that is known. */
async function operationEnds(gateway: GatewayProcess, answer: Exchange): Promise<Record<string, unknown>> {
  const { operation } = answer.json() as { operation: string };
  for (;;) {
    const found = (await exchange(gateway, operation)).json();
    if (found['state'] !== 'running') return found;
  }
}

/** Resolves when the process has used processor time for 100 ms since the call. */
async function busy(pid: number): Promise<void> {
  const ticks = (): number => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
    return Number(fields[11]) + Number(fields[12]);
  };
  const began = ticks();
  while (ticks() < began + 10) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** The log's record of an anomaly; the log is written behind the answers. */
async function logged(gateway: GatewayProcess, kind: string): Promise<Record<string, unknown>> {
  for (;;) {
    const record = gateway.log().find((candidate) => candidate['kind'] === kind);
    if (record !== undefined) return record;
    await exchange(gateway, '/livez');
  }
}

const statuses = (answers: readonly Exchange[]) => answers.map(({ status }) => status);

describe('a main loop that is blocked', () => {
  it('makes the VM slow; out-of-band commands pass, the others end as unknown, and their replies can be fetched', async () => {
    const gateway = await scene.gateway();
    const qemu = await scene.qemu({ machine: 'pc' });
    const fifo = blockingFifo(qemu.directory);
    const vm = await registerVm(gateway, `unix:${qemu.socket}`);
    const client = scene.keep(await JsonRpcClient.connect(gateway), (made) => made.close());
    const dump = JSON.stringify({ val: 0, size: 4096, filename: fifo.path });
    const blocked = run(gateway, vm, 'pmemsave', { args: dump, headers: { 'Request-Timeout': '7s' } });
    while ((await runningOperations(gateway, vm)) === 0);
    const behind = Array.from({ length: 3 }, () =>
      run(gateway, vm, 'query-status', { headers: { 'Request-Timeout': '6s' } }),
    );
    await vmShows(gateway, vm, 'health', 'slow');
    const probe = await client.request('execute', JSON.stringify({ vm, command: 'query-yank', oob: true }));
    expect(probe.result).toEqual([{ type: 'chardev', id: 'qmp0' }]);

    for (const answer of [await blocked, ...(await Promise.all(behind))])
      expect(problemOf(answer)).toMatchObject({ status: 504, code: 'deadline-exceeded', outcome: 'unknown' });
    expect(await runningOperations(gateway, vm)).toBe(4);
    fifo.release();
    expect(await operationEnds(gateway, await blocked)).toMatchObject({
      state: expect.stringMatching(/^(done|failed)$/),
    });
    for (const answer of behind)
      expect(await operationEnds(gateway, await answer)).toMatchObject({ state: 'done', return: { running: false } });
    await vmShows(gateway, vm, 'health', 'ok');
    expect((await run(gateway, vm, 'query-status')).status).toBe(200);
  });
});

describe('a QEMU that is killed', () => {
  it('leaves the commands in flight unknown, and those behind them not sent', async () => {
    const gateway = await scene.gateway();
    const qemu = await scene.qemu();
    const vm = await registerVm(gateway, `unix:${qemu.socket}`);
    // Answered after the gateway's own questions of a new session.
    expect((await run(gateway, vm, 'query-status')).status).toBe(200);
    qemu.kill('SIGSTOP');
    const inFlight = Array.from({ length: 8 }, () => run(gateway, vm, 'stop'));
    while ((await runningOperations(gateway, vm)) < 8);
    const queued = Array.from({ length: 20 }, () => run(gateway, vm, 'stop'));
    while ((await runningOperations(gateway, vm)) < 28);
    qemu.kill('SIGKILL');
    const answers = await Promise.all([...inFlight, ...queued]);
    // It asks a VM that is paused for its state each second, and this question may hold one of the eight places.
    const sent = statuses(answers).filter((status) => status === 502).length;
    expect([7, 8]).toContain(sent);
    expect(statuses(answers)).toEqual([...Array<number>(sent).fill(502), ...Array<number>(28 - sent).fill(503)]);
    for (const answer of answers.slice(0, sent))
      expect(problemOf(answer)).toMatchObject({ code: 'outcome-unknown', outcome: 'unknown', retryable: false });
    for (const answer of answers.slice(sent))
      expect(problemOf(answer)).toMatchObject({ code: 'vm-unavailable', outcome: 'not-sent', retryable: true });
  });
});

describe('a former client', () => {
  it('whose 15 MB reply comes while we negotiate: dropped, counted and logged', async () => {
    const gateway = await scene.gateway();
    const qemu = await scene.qemu({ machine: 'pc' });
    const former = await RawQmpClient.connect(qemu.socket);
    await former.negotiate();
    const dump = '{"execute":"human-monitor-command","arguments":{"command-line":"xp /2000000xb 0"},"id":"libvirt-2"}';
    former.write(`${dump}\n`);
    // A queued command is dropped with its client, a running one is not.
    await busy(qemu.process.pid ?? 0);
    former.close();
    const vm = await registerVm(gateway, `unix:${qemu.socket}`);
    expect((await run(gateway, vm, 'query-status')).json()).toMatchObject({ running: false });
    expect(await anomalies(gateway, vm, 'foreign-reply')).toBe(1);
    const told = await logged(gateway, 'foreign-reply');
    expect(Number(/^[0-9]+/.exec(String(told['detail']))?.[0])).toBeGreaterThan(10_000_000);
  });
});

describe('another VM at the same path', () => {
  it('is told by its uuid: logged, counted and shown', async () => {
    const gateway = await scene.gateway();
    const directory = scene.directory();
    const [uuid, other] = ['6c1d7ec3-6a8b-4d5f-9a05-0d8a7c3d2a01', '6c1d7ec3-6a8b-4d5f-9a05-0d8a7c3d2a02'];
    const first = scene.keep(await launchQemu({ directory, args: ['-uuid', uuid] }), (qemu) => qemu.stop());
    const vm = await registerVm(gateway, `unix:${first.socket}`);
    const before = (await exchange(gateway, `/v1/vms/${vm}`)).json();
    expect(before['uuid']).toBe(uuid);
    first.kill('SIGKILL');
    await first.ended;
    await gateway.vmBecomes(vm, 'waiting');
    scene.keep(await launchQemu({ directory, args: ['-uuid', other] }), (qemu) => qemu.stop());
    const after = await gateway.vmBecomes(vm, 'ready');
    expect(after['uuid']).toBe(other);
    expect(after['epoch']).not.toBe(before['epoch']);
    expect(await anomalies(gateway, vm, 'other-uuid')).toBe(1);
    const told = await logged(gateway, 'other-uuid');
    expect(told).toMatchObject({ vm, detail: expect.stringContaining(uuid) });
    const late = await run(gateway, vm, 'stop', { headers: { 'QMP-VM-Epoch': String(before['epoch']) } });
    expect(problemOf(late)).toMatchObject({ status: 412, code: 'epoch-changed', outcome: 'not-sent' });
  });
});

describe('a line', () => {
  it('of 64 MiB comes whole, one byte more does not and costs only its command', async () => {
    const gateway = await scene.gateway({ settings: fakeMachineSettings });
    const machine = await fakeMachine(scene);
    const vm = await registerVm(gateway, machine.endpoint);
    // `{"return": "…", "id": "<nonce>-<n>"}` without its line end.
    const limit = 64 * 2 ** 20;
    let extra = 0;
    machine.fake.on(echo, ({ id = '' }) => {
      const around = `{"return": "", "id": ${id}}`.length;
      return { raw: `{"return": "${'x'.repeat(limit - around + extra)}", "id": ${id}}\r\n` };
    });
    const whole = await run(gateway, vm, echo);
    expect(whole.status).toBe(200);
    expect(whole.text.length).toBeGreaterThan(limit - 100);
    expect(whole.text).toMatch(/^"x+"$/);
    extra = 1;
    expect(problemOf(await run(gateway, vm, echo))).toMatchObject({ status: 502, code: 'outcome-unknown' });
    expect((await run(gateway, vm, change, '{"text":"after"}')).text).toBe('{"text":"after"}');
    expect(machine.fake.accepted).toBe(1);
  });

  it('a byte at a time, commands and greeting too, is a line', async () => {
    const gateway = await scene.gateway({ settings: fakeMachineSettings });
    const machine = await fakeMachine(scene);
    const { path: socket } = machine.fake.endpoint as { path: string };
    const rules = { toClient: { chunk: 1 }, toServer: { chunk: 1 } };
    const proxy = scene.keep(await FaultProxy.start(socket, rules), (made) => made.stop());
    const vm = await registerVm(gateway, `unix:${proxy.endpoint.path}`);
    const text = `{"text":"\u00fc\ud83d\ude00${'y'.repeat(10_000)}"}`;
    expect((await run(gateway, vm, echo, text)).text).toBe(text);
  });
});

describe('odd bytes of one VM', () => {
  it('where its schema says otherwise end no session, not even its own', async () => {
    const odd = await fakeMachine(scene);
    const good = await fakeMachine(scene);
    const vms = { odd: { endpoint: odd.endpoint }, good: { endpoint: good.endpoint } };
    const gateway = await scene.gateway({ settings: { ...fakeMachineSettings, vms } });
    const { epoch } = await gateway.vmBecomes('odd', 'ready');
    await gateway.vmBecomes('good', 'ready');
    const connection = odd.fake.connections.at(-1);
    for (const name of ['BLOCK_IO_ERROR', 'GUEST_PANICKED', 'WATCHDOG', 'JOB_STATUS_CHANGE', 'DEVICE_DELETED'])
      for (const data of ['null', '[]', '1e999', '"text"', '{"action":null,"id":{},"status":1e999}'])
        connection?.line(`{"timestamp":null,"event":"${name}","data":${data}}`);
    // The gateway asks after the event, and shows what the VM answers.
    odd.fake.on('query-status', () => ({ json: '{"status":"suspended","running":false,"singlestep":false}' }));
    connection?.event('SUSPEND');
    await vmShows(gateway, 'odd', 'runState', 'suspended');
    expect((await exchange(gateway, '/v1/vms/odd')).json()).toMatchObject({ state: 'ready', epoch });

    for (const name of ['query-status', 'query-name', 'query-uuid']) odd.fake.on(name, () => ({ json: 'null' }));
    connection?.close();
    await vmShows(gateway, 'odd', 'uuid', null);
    expect(await gateway.vmBecomes('odd', 'ready')).toMatchObject({ runState: null, name: null, uuid: null });
    expect((await run(gateway, 'good', change)).status).toBe(200);
    expect(gateway.log().filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });
});

describe('connections cut at any byte', () => {
  it('end every command once, with what is known of it', async () => {
    const gateway = await scene.gateway({ settings: fakeMachineSettings });
    const machine = await fakeMachine(scene);
    const { path: socket } = machine.fake.endpoint as { path: string };
    const proxy = scene.keep(await FaultProxy.start(socket), (made) => made.stop());
    const vm = await registerVm(gateway, `unix:${proxy.endpoint.path}`);
    let told = 0;
    for (let round = 0; round < 12; round++) {
      await gateway.vmBecomes(vm, 'ready');
      machine.takeReceived();
      const answers = Array.from({ length: 30 }, (_, n) => run(gateway, vm, change, `{"integer":${n}}`));
      await Promise.race(answers);
      proxy.cut();
      for (const answer of await Promise.all(answers)) {
        if (answer.status === 200) expect(answer.text).toMatch(/^\{"integer":\d+\}$/);
        else
          expect([
            [502, 'unknown'],
            [503, 'not-sent'],
          ]).toContainEqual([answer.status, answer.json()['outcome']]);
        told++;
      }
      // What was not sent was not received, what was received was sent once.
      const received = machine.received.map(({ arguments: args }) => (args as { integer: number }).integer);
      expect(new Set(received).size).toBe(received.length);
    }
    expect(told).toBe(12 * 30);
  });
});

describe('files of the socket', () => {
  it('appear late, stay behind after a kill, and are used again', async () => {
    const directory = scene.directory();
    const gateway = await scene.gateway({ args: ['--vm', `web=unix:${path.join(directory, 'qmp0')}`] });
    expect(await gateway.vmBecomes('web', 'waiting')).toMatchObject({ lastError: { code: 'no-such-file' } });
    const first = scene.keep(await launchQemu({ directory }), (qemu) => qemu.stop());
    await gateway.vmBecomes('web', 'ready');
    first.kill('SIGKILL');
    await first.ended;
    await vmShowsFault(gateway, 'web', 'refused');
    scene.keep(await launchQemu({ directory }), (qemu) => qemu.stop());
    await gateway.vmBecomes('web', 'ready');
  });
});

async function vmShowsFault(gateway: GatewayProcess, vm: string, code: string): Promise<void> {
  for (;;) {
    const { lastError } = (await exchange(gateway, `/v1/vms/${vm}`)).json() as { lastError: { code: string } | null };
    if (lastError?.code === code) return;
  }
}
