import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { redactedMembers } from '@qmp-gateway/catalog';
import type { FakeAnswer, FakeCommand } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { fakeMachine, type FakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, nextSession, registerVm } from './gateway-scene.js';
import { exchange } from './http-exchange.js';
import { JsonRpcClient } from './json-rpc-client.js';

/** What is looked for: in arguments, in replies, in events, and in errors that repeat an argument or say more. */
const canary = { argument: 'canary-argument', reply: 'canary-reply', event: 'canary-event', error: 'canary-error' };
const commands = [
  ...['set_password', 'change-vnc-password', 'block_passwd', 'change', 'object-add', 'sev-inject-launch-secret'],
  ...['human-monitor-command', 'qom-set', 'send-key', 'input-send-event', 'x-input-send-event', 'ringbuf-write'],
];
const [secret, uri] = [`${canary.argument}-x`, `nbd://user:${canary.argument}@host/x`];

/** Arguments with the canary in every place that is secret: by its path, by its name, in a URI. */
const samples: readonly (readonly [string, string])[] = [
  ...commands.flatMap((command) =>
    redactedMembers('qemu', command).flatMap((members) => [
      [command, JSON.stringify(nested(members, secret))] as const,
      [command, JSON.stringify(nested(members, [{ deep: secret }, secret]))] as const,
      [command, JSON.stringify(nested(members, secret)).replace('canary', 'c\\u0061nary')] as const,
    ]),
  ),
  ...['password', 'passphrase', 'api-key', 'token', 'cookie', 'credentials', 'masterKey'].map(
    (name) => ['device_add', JSON.stringify({ driver: 'x', [name]: secret })] as const,
  ),
  ['device_add', JSON.stringify({ driver: 'x', filename: uri })],
  ['blockdev-add', JSON.stringify({ driver: 'nbd', server: { uri } })],
  // Nothing of what nobody knows is shown.
  ['__com.example_unknown', JSON.stringify({ anything: { at: [secret] } })],
];

const scene = new GatewayScene();
let gateway: GatewayProcess;
let machine: FakeMachine;
let vm: string;
let mode: (command: FakeCommand) => FakeAnswer;

beforeAll(async () => {
  gateway = await scene.gateway({ args: ['--log-level', 'trace'] });
  machine = await fakeMachine(scene);
  const known = new Map(samples.map(([command]) => [command, new Set<string>()]));
  for (const [command, args] of samples)
    for (const name of Object.keys(JSON.parse(args) as object)) known.get(command)?.add(name);
  const types = [...known].map(([name, members]) => ({
    ...{ name: `${name}-arg`, 'meta-type': 'object' },
    members: [...members].map((member) => ({ name: member, type: 'any', default: null })),
  }));
  const added = [...known.keys()].map((name) => ({
    ...{ name, 'meta-type': 'command', 'arg-type': `${name}-arg`, 'ret-type': 'any' },
  }));
  const asked = await machine.fake.handlers.get('query-qmp-schema')?.({} as FakeCommand);
  const before = JSON.parse((asked as { json: string }).json) as unknown[];
  machine.fake.on('query-qmp-schema', () => ({ return: [...before, ...types, ...added] }));
  for (const name of known.keys()) machine.fake.on(name, (command) => mode(command));
  vm = await registerVm(gateway, machine.endpoint);
});
afterAll(() => scene.end());

function nested([name, ...rest]: readonly string[], value: unknown): unknown {
  return name === undefined ? value : { [name]: nested(rest, value) };
}

/** Every way in, with all that comes back as text. */
class EveryEntrance {
  readonly #answers = new Map<number, (text: string) => void>();
  #last = 0;

  private constructor(
    private readonly as: GatewayProcess,
    private readonly rpc: JsonRpcClient,
    private readonly monitor: WebSocket,
  ) {
    monitor.on('message', (data: Buffer) => {
      const text = data.toString();
      const id = Number(/"id": ?(\d+)/.exec(text)?.[1]);
      this.#answers.get(id)?.(text);
    });
    monitor.on('close', () => this.#answers.forEach((answered) => answered('')));
  }

  static async open(token = gateway.token): Promise<EveryEntrance> {
    const as = { ...gateway, token };
    const rpc = scene.keep(await JsonRpcClient.connect(as), (client) => client.close());
    const monitor = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/vms/${vm}/monitor`, ['qmp'], {
      headers: { Authorization: `Bearer ${token ?? ''}` },
    });
    scene.keep(monitor, (socket) => socket.terminate());
    await once(monitor, 'message');
    const entrances = new EveryEntrance(as, rpc, monitor);
    await entrances.say('{"execute":"qmp_capabilities"}');
    return entrances;
  }

  say(message: string): Promise<string> {
    const id = ++this.#last;
    const answered = new Promise<string>((resolve) => this.#answers.set(id, resolve));
    this.monitor.send(message.replace(/\}$/, `,"id":${id}}`));
    return answered;
  }

  /** Answers by REST, message form, fan-out, JSON-RPC and shared monitor. */
  async run(command: string, args: string, controls = ''): Promise<string[]> {
    const message = `{"execute":"${command}","arguments":${args}}`;
    const query = controls === '' ? '' : `?${controls}`;
    const timeout = /timeout=(\w+)/.exec(controls)?.[1];
    const more = timeout === undefined ? '' : `,"timeout":"${timeout}"`;
    const bodies = await Promise.all([
      exchange(this.as, `/v1/vms/${vm}/qmp/${command}${query}`, { body: args }),
      exchange(this.as, `/v1/vms/${vm}/qmp${query}`, { body: message }),
      exchange(this.as, `/v1/qmp/${command}?vm=${vm}&${controls}`, { body: args }),
      this.rpc.request('execute', `{"vm":"${vm}","command":"${command}","arguments":${args}${more}}`),
      timeout === undefined ? this.say(message) : { text: '' },
    ]);
    return bodies.map((answer) => (typeof answer === 'string' ? answer : answer.text));
  }
}

/** Everything the gateway keeps or tells to others than the caller. */
async function kept(): Promise<Record<string, string>> {
  const history = await exchange(gateway, '/v1/events?after=oldest&limit=10000');
  const operations = await exchange(gateway, `/v1/vms/${vm}/operations`);
  expect([history.status, operations.status]).toEqual([200, 200]);
  return {
    log: gateway.stderr(),
    audit: readFileSync(path.join(gateway.state, 'audit.log'), 'utf8'),
    metrics: (await exchange(gateway, '/metrics')).text,
    vm: (await exchange(gateway, '/v1/vms')).text,
    history: history.text,
  };
}

/** Texts that hold it, shortened to what is around it. */
function holding(texts: readonly string[], needle: string): string[] {
  return texts
    .filter((text) => text.includes(needle))
    .map((text) => text.slice(Math.max(0, text.indexOf(needle) - 150)).slice(0, 300));
}

const isProblem = (text: string) => text.includes('"code":') || text.includes('"error"');

it('what is secret comes to its caller, and nowhere else', async () => {
  const all = await EveryEntrance.open();
  const reader = await EveryEntrance.open(makeToken(gateway, { level: 'read', vms: ['*'] }));
  const answers: string[] = [];

  mode = () => ({ return: { value: canary.reply } });
  const done: string[] = [];
  for (const [command, args] of samples) done.push(...(await all.run(command, args)));
  // Honest: the reply is the caller's, from all five.
  expect(done.filter((text) => !text.includes(canary.reply))).toEqual([]);
  expect(holding(done, canary.argument)).toEqual([]);

  mode = ({ raw }) => ({
    error: { class: 'GenericError', desc: `${canary.error}: cannot take ${raw.toString()}` },
  });
  const failed: string[] = [];
  for (const [command, args] of samples.filter(([name]) => !name.startsWith('__com')))
    failed.push(...(await all.run(command, args)));
  // What the VM says is the caller's too, but not what the caller said to it.
  expect(failed.filter((text) => !text.includes(canary.error) || !isProblem(text))).toEqual([]);
  answers.push(...failed);

  mode = () => ({ return: {} });
  const refused: string[] = [];
  for (const [command, args] of samples) {
    refused.push(...(await reader.run(command, args)));
    refused.push(...(await all.run(command, args.replace(/\}$/, `,"no-such-password":"${secret}"}`))));
    refused.push(...(await all.run('no-such-command', args)));
    const body = args.slice(0, -1);
    for (const target of [`/qmp/${command}`, '/qmp', `/qmp/${command}?timeout=${secret}`])
      refused.push((await exchange(gateway, `/v1/vms/${vm}${target}`, { body })).text);
    refused.push(
      (
        await exchange(gateway, `/v1/vms/${vm}/qmp/${command}`, {
          body: args,
          headers: { 'Content-Type': 'text/plain' },
        })
      ).text,
    );
  }
  answers.push(...refused);

  // Late replies, and a connection that is lost with commands in flight.
  const asked: FakeCommand[] = [];
  mode = (command) => {
    asked.push(command);
    return null;
  };
  for (const [command, args] of samples.slice(0, 2)) answers.push(...(await all.run(command, args, 'timeout=50ms')));
  for (const command of asked.splice(0))
    machine.fake.answer(command, { error: { class: 'GenericError', desc: `${canary.error} ${secret}` } });
  const [{ connection } = { connection: undefined }] = machine.fake.commands;
  connection?.write(`{"return": "${canary.reply}", "id": "stranger"}\r\n`);
  connection?.event('SECRET', { told: canary.event });
  const epoch = String((await exchange(gateway, `/v1/vms/${vm}`)).json()['epoch']);
  const [lostCommand = '', lostArgs = ''] = samples[0] ?? [];
  const lost = all.run(lostCommand, lostArgs);
  await expect.poll(() => asked.length, { timeout: 10_000 }).toBeGreaterThan(4);
  connection?.write(`${canary.reply} is no JSON, and nobody's reply\r\n`);
  connection?.socket.destroy();
  answers.push(...(await lost));
  await nextSession(gateway, vm, epoch);

  const { history = '', ...rest } = await kept();
  expect(holding(answers.filter(isProblem), canary.argument)).toEqual([]);
  const everywhere = Object.values(rest);
  for (const needle of Object.values(canary)) expect(holding(everywhere, needle), needle).toEqual([]);
  for (const needle of [canary.argument, canary.reply, canary.error]) expect(holding([history], needle)).toEqual([]);
  // The event itself is what the history is for.
  expect(history).toContain(canary.event);
  // It was all there to be found.
  expect(
    machine.received.filter(({ raw }) => JSON.stringify(JSON.parse(raw.toString())).includes(canary.argument)).length,
  ).toBeGreaterThan(samples.length * 9);
  for (const [command] of samples) expect(rest['audit']).toContain(`"command":"${command}"`);
  expect(rest['audit']).toContain('[redacted]');
});
