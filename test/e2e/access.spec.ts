import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, nextSession, registerVm, run } from './gateway-scene.js';
import { exchange, problemOf, type Exchange } from './http-exchange.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let vm: string;

beforeAll(async () => {
  gateway = await scene.gateway();
  vm = await registerVm(gateway, `unix:${(await scene.qemu()).socket}`);
});
afterAll(() => scene.end());

const at = (level: string, commands?: { allow?: string[]; deny?: string[] }): GatewayProcess => ({
  ...gateway,
  token: makeToken(gateway, { level, vms: ['*'], ...(commands && { commands }) } as Parameters<typeof makeToken>[1]),
});
const outlook = async (caller: GatewayProcess, command: string) =>
  (await exchange(caller, `/v1/access?vm=${vm}&command=${command}`)).json();
const ask = (caller: GatewayProcess, question: object): Promise<Exchange> =>
  exchange(caller, '/v1/access', { body: JSON.stringify(question) });

describe('what is told of a command before it is run', () => {
  it('is by-arguments where they decide, with the lowest and the highest class', async () => {
    expect(await outlook(at('configure'), 'device_add')).toMatchObject({
      allowed: 'by-arguments',
      class: 'host',
      lowestClass: 'configure',
      highestClass: 'host',
    });
    expect(await outlook(at('operate'), 'device_add')).toMatchObject({ allowed: false, lowestClass: 'configure' });
    expect(await outlook(at('host'), 'device_add')).toMatchObject({ allowed: true, highestClass: 'host' });
    expect(await outlook(at('configure'), 'block-commit')).toMatchObject({
      allowed: 'by-arguments',
      class: 'configure',
      lowestClass: 'configure',
      highestClass: 'host',
    });
    expect(await outlook(at('read'), 'query-status')).toMatchObject({ allowed: true, argumentRules: [] });
    const { argumentRules } = await outlook(at('configure'), 'device_add');
    expect(argumentRules).toContainEqual({
      class: 'host',
      rule: 'device_add:romfile',
      reason: expect.stringContaining('host file') as string,
    });
  });

  it("is by-arguments even for level host where the gateway's own monitor is in reach, and false for what is denied", async () => {
    expect(await outlook(gateway, 'chardev-remove')).toMatchObject({ allowed: 'by-arguments' });
    expect(await outlook(at('host', { deny: ['device_*'] }), 'device_add')).toMatchObject({
      allowed: false,
      rule: 'grant:deny',
    });
    expect(await outlook(gateway, 'getfd')).toMatchObject({ allowed: false, rule: 'not-offered' });
  });

  it('is exact with arguments, and the same as what the command itself is told', async () => {
    const caller = at('configure');
    for (const args of [
      { driver: 'virtio-rng-pci', id: 'r1' },
      { driver: 'virtio-rng-pci', id: 'r1', romfile: '/etc/passwd' },
      { driver: 'vfio-pci', host: '0000:01:00.0' },
    ]) {
      const told = await ask(caller, { vm, command: 'device_add', arguments: args });
      const dry = await run(caller, vm, 'device_add', { args: JSON.stringify(args), headers: { 'Dry-Run': 'true' } });
      expect([told.status, told.json()['allowed']]).toEqual([200, dry.status === 200]);
      if (dry.status === 200) expect(told.json()['class']).toBe(dry.json()['class']);
      else expect(dry.json()['detail']).toContain(`rule ${String(told.json()['rule'])}`);
    }
    expect((await ask(gateway, { vm, command: 'quit' })).json()).toMatchObject({ allowed: true, class: 'configure' });
    expect((await exchange(gateway, `/v1/vms/${vm}`)).json()).toMatchObject({ state: 'ready', inFlight: 0 });
    const own = { vm, command: 'chardev-remove', arguments: { id: 'qmp' } };
    const listed = await exchange(gateway, `/v1/vms/${vm}/qmp/query-chardev`);
    const chardevs = listed.json() as unknown as { label: string; filename: string }[];
    own.arguments.id = chardevs.find(({ filename }) => filename.startsWith('unix:'))?.label ?? '';
    expect((await ask(gateway, own)).json()).toMatchObject({ allowed: false, rule: 'own-monitor' });
    expect((await ask(gateway, { ...own, arguments: { id: 'other' } })).json()).toMatchObject({ allowed: true });
  });

  it('is asked of nothing that the caller may not see, and by nothing that can not be read', async () => {
    const stranger = { ...gateway, token: makeToken(gateway, { level: 'host', vms: ['elsewhere'] }) };
    expect(problemOf(await ask(stranger, { vm, command: 'stop' }))).toMatchObject({
      code: 'vm-not-found',
      status: 404,
    });
    expect(problemOf(await ask(gateway, { vm, command: 'stopp' }))).toMatchObject({ code: 'command-not-found' });
    expect(problemOf(await ask(gateway, { vm, command: 'guest-ping', agent: true }))).toMatchObject({
      code: 'route-not-found',
    });
    for (const body of [
      ...[{ vm }, { command: 'stop' }, { vm, command: 'stop', args: {} }, { vm, command: 'stop', arguments: [] }],
      { vm, command: 1 },
    ])
      expect(problemOf(await ask(gateway, body)), JSON.stringify(body)).toMatchObject({ code: 'invalid-request' });
    const twice = await exchange(gateway, '/v1/access', { body: '{"vm":"a","vm":"b","command":"stop"}' });
    expect(problemOf(twice)).toMatchObject({ code: 'malformed-json' });
    for (const query of [`vm=${vm}`, 'agent=true', `vm=${vm}&command=stop&agent=1`])
      expect(problemOf(await exchange(gateway, `/v1/access?${query}`)), query).toMatchObject({
        code: 'invalid-request',
      });
  });

  it('stands in the schema, in the document and in the answer to a GET', async () => {
    const schema = (await exchange(gateway, `/v1/vms/${vm}/schema`)).json() as { commands: { name: string }[] };
    expect(schema.commands.find(({ name }) => name === 'device_add')).toMatchObject({
      class: 'host',
      lowestClass: 'configure',
      highestClass: 'host',
    });
    const document = (await exchange(gateway, `/v1/vms/${vm}/openapi.json`)).json() as {
      paths: Record<string, Record<string, Record<string, unknown>>>;
    };
    expect(document.paths['/qmp/device_add']?.['post']).toMatchObject({
      'x-qapi-class': 'host',
      'x-qapi-class-min': 'configure',
    });
    expect(document.paths['/qmp/block-commit']?.['post']).toMatchObject({
      'x-qapi-class': 'configure',
      'x-qapi-class-max': 'host',
    });
    expect(document.paths['/qmp/stop']?.['post']).not.toHaveProperty('x-qapi-class-min');
    const refused = await exchange(gateway, `/v1/vms/${vm}/qmp/device_add?driver=e1000`);
    expect(refused.status).toBe(405);
    expect(refused.json()['detail']).toBe(
      'GET is for commands of class read; device_add is of class host, or configure by its arguments: use POST.',
    );
  });
});

it('may be repeated or not by the class that its arguments gave it, when nobody knows what became of it', async () => {
  const { fake, endpoint } = await fakeMachine(scene);
  const member = (name: string) => ({ name, type: 'any', default: null });
  const command = (name: string) => ({ name, 'meta-type': 'command', 'arg-type': 'args', 'ret-type': 'any' });
  const introspection = [
    { name: 'any', 'meta-type': 'builtin', 'json-type': 'value' },
    { name: 'args', 'meta-type': 'object', members: [member('command-line'), member('typename')] },
    ...['query-status', 'human-monitor-command', 'device-list-properties'].map(command),
  ];
  fake.on('query-qmp-schema', () => ({ return: introspection }));
  for (const name of ['human-monitor-command', 'device-list-properties'])
    fake.on(name, ({ connection }) => {
      connection.socket.destroy();
      return null;
    });
  const lost = await registerVm(gateway, endpoint);
  for (const [name, args, retryable] of [
    ['human-monitor-command', '{"command-line":"info status"}', true],
    ['human-monitor-command', '{"command-line":"savevm x"}', false],
    ['device-list-properties', '{"typename":"e1000"}', true],
    ['device-list-properties', '{"typename":"x-remote-object"}', false],
  ] as const) {
    const { epoch } = (await exchange(gateway, `/v1/vms/${lost}?wait=30s`)).json();
    const answer = await run(gateway, lost, name, args);
    expect([args, problemOf(answer)]).toMatchObject([args, { code: 'outcome-unknown', retryable }]);
    await nextSession(gateway, lost, String(epoch));
  }
});
