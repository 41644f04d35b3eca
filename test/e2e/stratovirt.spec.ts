import { readFileSync } from 'node:fs';
import path from 'node:path';
import { redactedMembers } from '@qmp-gateway/catalog';
import { StratovirtFake, stratovirtCommands, type StratovirtOptions } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { nextNdjsonEvents, openLines } from './event-readers.js';
import { anomalies, FaultScene } from './fault-scene.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, nextSession, registerVm, run } from './gateway-scene.js';
import { exchange, problemOf } from './http-exchange.js';
import { operationOf, prefer } from './work-reader.js';

const scene = new FaultScene();

afterEach(() => scene.end());

async function stage(
  options?: StratovirtOptions,
): Promise<{ fake: StratovirtFake; gateway: GatewayProcess; vm: string }> {
  const fake = scene.keep(await StratovirtFake.start(options), (made) => made.stop());
  const gateway = await scene.gateway();
  return { fake, gateway, vm: await registerVm(gateway, `unix:${fake.endpoint.path}`) };
}

const device = { id: 'blk-0', driver: 'virtio-blk-pci', drive: 'd0', addr: '0x1' };

describe('StratoVirt', () => {
  it('is known by its greeting, its commands by what it lists', async () => {
    const { fake, gateway, vm } = await stage();
    const view = (await exchange(gateway, `/v1/vms/${vm}`)).json();
    expect(view).toMatchObject({
      ...{ kind: 'stratovirt', version: '2.5.0', package: 'StratoVirt-2.5.0', capabilities: [], runState: 'running' },
    });
    const { commands } = (await exchange(gateway, `/v1/vms/${vm}/schema`)).json() as { commands: { name: string }[] };
    expect(commands.map(({ name }) => name).sort()).toEqual([...stratovirtCommands].sort());
    expect((await run(gateway, vm, 'query-status')).text).toBe(
      '{"running":true,"singlestep":false,"status":"running"}',
    );
    expect((await run(gateway, vm, 'device_add', JSON.stringify(device))).status).toBe(200);
    expect(problemOf(await run(gateway, vm, 'device_add', '{"id":"a","driver":"b","bootindex":1}'))).toMatchObject({
      status: 400,
      errors: [{ pointer: '/bootindex', suggestions: ['boot_index'] }],
    });
    expect(fake.offences).toEqual([]);
  });

  it('2.4 has the commands of 2.4', async () => {
    const later = [
      'netdev_replace',
      'netlink_set',
      'set-viomem',
      'get-viomem',
      'query-workloads',
      'detect-silent-audio',
    ];
    const commands = stratovirtCommands.filter((name) => !later.includes(name));
    const { fake, gateway, vm } = await stage({ version: '2.4.0', events: 'before', commands });
    expect((await exchange(gateway, `/v1/vms/${vm}`)).json()).toMatchObject({ version: '2.4.0' });
    for (const name of later)
      expect(problemOf(await run(gateway, vm, name))).toMatchObject({ code: 'command-not-found', outcome: 'not-sent' });
    const netdev = (more: object) => JSON.stringify({ id: 'net-0', type: 'tap', ifname: 'tap0', ...more });
    expect((await run(gateway, vm, 'netdev_add', netdev({}))).status).toBe(200);
    // An argument of 2.5.
    expect(problemOf(await run(gateway, vm, 'netdev_add', netdev({ macnat: true })))).toMatchObject({
      errors: [{ pointer: '/macnat' }],
    });
    expect(fake.offences).toEqual([]);
  });

  it.each(['after', 'before', 'inside'] as const)('tells of stop and cont with events %s the reply', async (events) => {
    const { fake, gateway, vm } = await stage({ events });
    const stream = scene.keep(
      await openLines(gateway, `/v1/vms/${vm}/events?event=STOP,RESUME`, 'application/x-ndjson'),
      (made) => made.close(),
    );
    expect((await run(gateway, vm, 'stop')).text).toBe('{}');
    expect((await run(gateway, vm, 'cont')).text).toBe('{}');
    expect((await nextNdjsonEvents(stream, 2)).map(({ event }) => event)).toEqual(['STOP', 'RESUME']);
    const stopped = await prefer(gateway, vm, 'stop', { prefers: 'wait=30' });
    expect([stopped.status, stopped.text]).toEqual([200, '{}']);
    expect(await operationOf(gateway, vm, stopped)).toMatchObject({ state: 'done', events: [{ event: 'STOP' }] });
    expect((await prefer(gateway, vm, 'cont', { prefers: 'wait=30' })).status).toBe(200);
    expect((await exchange(gateway, `/v1/vms/${vm}`)).json()).toMatchObject({ runState: 'running', state: 'ready' });
    expect(fake.offences).toEqual([]);
  });

  it('takes no message over 8,192 bytes, and is not shown one', async () => {
    const { fake, gateway, vm } = await stage();
    const tooLong = await run(gateway, vm, 'device_add', JSON.stringify({ ...device, serial: 'x'.repeat(8200) }));
    expect(problemOf(tooLong)).toMatchObject({ status: 413, code: 'body-too-large', outcome: 'not-sent' });
    expect((await run(gateway, vm, 'device_add', JSON.stringify({ ...device, serial: 'x'.repeat(7900) }))).status).toBe(
      200,
    );
    expect(fake.executed.filter((name) => name === 'device_add')).toHaveLength(1);
    expect(fake.offences).toEqual([]);
  });

  it('is given empty arguments, or none, as it wants them, whatever the caller sends', async () => {
    const { fake, gateway, vm } = await stage();
    fake.handlers.set('query-workloads', () => ({ json: '[{"module":"scream","state":"on"}]' }));
    fake.handlers.set('query-ohui-status', () => ({ json: '"connected"' }));
    const message = (command: string, args = '') =>
      exchange(gateway, `/v1/vms/${vm}/qmp`, { body: `{"execute":"${command}"${args}}` });
    for (const [command, value, sent] of [
      ['query-workloads', '[{"module":"scream","state":"on"}]', { arguments: {} }],
      ['query-ohui-status', '"connected"', {}],
    ] as const) {
      const answers = [
        await exchange(gateway, `/v1/vms/${vm}/qmp/${command}`),
        await run(gateway, vm, command),
        await run(gateway, vm, command, '{ }'),
        await message(command),
        await message(command, ',"arguments":{}'),
      ];
      for (const answer of answers) expect([answer.status, answer.text]).toEqual([200, value]);
      const told = await exchange(gateway, `/v1/qmp/${command}?vm=${vm}`, { method: 'POST' });
      expect(told.text).toContain(`"return":${value}`);
      for (const args of [undefined, '{}']) {
        const dry = await run(gateway, vm, command, { args, headers: { 'Dry-Run': 'true' } });
        expect(dry.json()).toEqual({ wouldSend: { execute: command, ...sent }, class: 'read' });
      }
    }
    expect(fake.offences).toEqual([]);
  });

  it('refuses what it does not know, fails with strings, and may not say why', async () => {
    const { fake, gateway, vm } = await stage({ commands: [...stratovirtCommands, 'query-later'] });
    const unknown = await run(gateway, vm, 'query-later');
    expect(problemOf(unknown)).toMatchObject({ status: 404, code: 'command-not-found', outcome: 'refused' });
    const unsupported = await run(gateway, vm, 'netdev_replace', '{"id":"n","ifname":"t","macnat":false}');
    expect(problemOf(unsupported)).toMatchObject({
      ...{ status: 422, code: 'command-failed', outcome: 'refused' },
      qmp: { class: 'GenericError', desc: 'netdev_replace not supported for VM' },
    });
    fake.handlers.set('system_powerdown', () => ({ error: { class: 'GenericError', desc: '' } }));
    const silent = await run(gateway, vm, 'system_powerdown');
    expect(silent.json()).toMatchObject({ code: 'command-failed', detail: expect.stringMatching(/\S/) });
    fake.handlers.set('query-balloon', () => ({ error: { class: 'DeviceNotActive', desc: 'No balloon' } }));
    expect(problemOf(await run(gateway, vm, 'query-balloon'))).toMatchObject({
      status: 409,
      code: 'device-not-active',
    });
  });

  it('is never sent strings of device_add that would inject options', async () => {
    const { fake, gateway, vm } = await stage();
    for (const [pointer, text] of [
      ['/serial', 'x,romfile=/etc/passwd'],
      ['/id', 'a\u0001b'],
      ['/drive', 'a\u007f'],
    ] as const) {
      const args = JSON.stringify({ ...device, [pointer.slice(1)]: text });
      expect(problemOf(await run(gateway, vm, 'device_add', args))).toMatchObject({
        ...{ status: 400, code: 'invalid-arguments', outcome: 'not-sent', errors: [{ pointer }] },
      });
    }
    const headers = { Authorization: `Bearer ${makeToken(gateway, { level: 'configure', vms: ['*'] })}` };
    const args = JSON.stringify({ ...device, serial: 'x,host=0' });
    expect((await run(gateway, vm, 'device_add', { args, headers })).status).toBe(403);
    expect(fake.executed).not.toContain('device_add');
  });

  it('is told what is typed, and nobody else', async () => {
    const { fake, gateway, vm } = await stage();
    const secret = 'canary-key';
    const samples: Readonly<Record<string, object>> = {
      input_event: { key: 'keyboard', value: secret },
      'human-monitor-command': { 'command-line': `drive_add ${secret}` },
    };
    for (const command of Object.keys(samples))
      fake.handlers.set(command, (args) => ({
        error: { class: 'GenericError', desc: `cannot take ${JSON.stringify(args)}` },
      }));
    for (const [command, args] of Object.entries(samples)) {
      expect(redactedMembers('stratovirt', command)).not.toEqual([]);
      const answer = await run(gateway, vm, command, JSON.stringify(args));
      expect(answer.text).toContain('cannot take');
      expect(answer.text).not.toContain(secret);
    }
    const audit = () => readFileSync(path.join(gateway.state, 'audit.log'), 'utf8');
    await expect.poll(audit, { timeout: 10_000 }).toContain('human-monitor-command');
    const operations = (await exchange(gateway, `/v1/vms/${vm}/operations`)).text;
    const metrics = (await exchange(gateway, '/metrics')).text;
    for (const kept of [audit(), gateway.stderr(), operations, metrics]) expect(kept).not.toContain(secret);
  });

  it('whose events have ended for good is asked for its state', async () => {
    const { fake, gateway, vm } = await stage();
    const { cursor } = (await exchange(gateway, '/v1/vms')).json() as { cursor: string };
    fake.handlers.set('query-status', () => ({ json: '{"running":false,"singlestep":false,"status":"paused"}' }));
    const page = await exchange(gateway, `/v1/vms/${vm}/events?event=vm-changed&after=${cursor}&wait=20s`);
    expect(page.json()).toMatchObject({ events: [{ data: { runState: 'paused', state: 'ready' } }] });
    expect(await anomalies(gateway, vm, 'event-missed')).toBe(1);
  });

  it.each([
    ['a standard machine that says so', 'standard', undefined, 'done'],
    ['a standard machine that ends without a word', 'standard', { json: '{}', exit: true }, 'lost'],
    ['a microVM, whose end it is', 'micro', undefined, 'done'],
  ] as const)('is known to be reset: %s', async (_, machine, answer, state) => {
    const { fake, gateway, vm } = await stage({ machine });
    if (answer !== undefined) fake.handlers.set('system_reset', () => answer);
    const reset = await prefer(gateway, vm, 'system_reset', { prefers: 'wait=20' });
    expect(await operationOf(gateway, vm, reset)).toMatchObject({ command: 'system_reset', state });
    if (state === 'lost') expect(problemOf(reset)).toMatchObject({ code: 'outcome-unknown', status: 502 });
    else expect([reset.status, reset.text]).toEqual([200, '{}']);
  });

  it('has ended when its connection ends, and quit is a success', async () => {
    const { gateway, vm } = await stage();
    // From before: it is dialled again at once, and may be `waiting` when we look.
    const path = `/v1/vms/${vm}/events?event=vm-changed&after=oldest`;
    const stream = scene.keep(await openLines(gateway, path, 'application/x-ndjson'), (made) => made.close());
    expect((await run(gateway, vm, 'quit')).text).toBe('{}');
    let state: unknown;
    while (state !== 'closed') {
      const [event] = await nextNdjsonEvents(stream, 1);
      state = (event?.data as { state: string }).state;
    }
  });
});

describe('StratoVirt over tcp', () => {
  /** In a scene that does not ask whether the gateway is alive at its end: these end it. */
  const mortal = new GatewayScene();
  afterEach(() => mortal.end());

  async function tcpStage(): Promise<{ fake: StratovirtFake; gateway: GatewayProcess; vm: string }> {
    const fake = scene.keep(await StratovirtFake.start({ tcp: true }), (made) => made.stop());
    fake.handlers.set('balloon', () => ({ error: { class: 'DeviceNotActive', desc: 'No balloon' } }));
    const gateway = await mortal.gateway();
    const { host, port } = fake.tcpEndpoint;
    return { fake, gateway, vm: await registerVm(gateway, `tcp:${host}:${port}`) };
  }
  const fails = async (gateway: GatewayProcess, vm: string): Promise<void> =>
    expect(problemOf(await run(gateway, vm, 'balloon', '{"value":1}'))).toMatchObject({ code: 'device-not-active' });
  /** A client that finds it there, which it would not after a panic. */
  async function lives(fake: StratovirtFake): Promise<void> {
    const next = await scene.ready(fake.tcpEndpoint);
    await next.monitor.stop();
  }

  it('survives the end of the gateway behind a failed command', async () => {
    const { fake, gateway, vm } = await tcpStage();
    await fails(gateway, vm);
    expect(await gateway.stop()).toBe(0);
    await lives(fake);
    expect(fake.offences).toEqual([]);
  });

  it('survives that the gateway is killed behind a failed command', async () => {
    const { fake, gateway, vm } = await tcpStage();
    await fails(gateway, vm);
    gateway.process.kill('SIGKILL');
    await gateway.ended;
    await lives(fake);
    // The system ends the connection, which only what was asked last makes bearable.
    expect(fake.offences).toEqual(['ended']);
  });

  it('survives that the VM is forgotten, or registered elsewhere', async () => {
    const { fake, gateway, vm } = await tcpStage();
    await fails(gateway, vm);
    const elsewhere = JSON.stringify({ endpoint: `unix:${scene.directory()}/none` });
    expect((await exchange(gateway, `/v1/vms/${vm}`, { method: 'PUT', body: elsewhere })).status).toBe(200);
    const { host, port } = fake.tcpEndpoint;
    const again = await registerVm(gateway, `tcp:${host}:${port}`);
    await fails(gateway, again);
    expect((await exchange(gateway, `/v1/vms/${again}`, { method: 'DELETE' })).status).toBe(204);
    await lives(fake);
    expect(fake.offences).toEqual([]);
  });

  it('is warned of, once, however often it is dialled', async () => {
    const { fake, gateway, vm } = await tcpStage();
    const { epoch } = (await exchange(gateway, `/v1/vms/${vm}`)).json();
    fake.handlers.set('system_powerdown', () => ({ exit: true }));
    await run(gateway, vm, 'system_powerdown');
    await nextSession(gateway, vm, String(epoch));
    const warned = () => gateway.log().filter(({ msg }) => String(msg).startsWith('StratoVirt over tcp'));
    await expect.poll(warned).toMatchObject([{ level: 40, vm }]);
  });
});
