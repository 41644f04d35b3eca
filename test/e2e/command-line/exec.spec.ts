import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { echo, fakeMachine, fakeMachineSettings, type FakeMachine } from '../fake-machine.js';
import type { GatewayProcess } from '../gateway-process.js';
import { GatewayScene, registerVm } from '../gateway-scene.js';
import {
  clientHome,
  ended,
  inHome,
  runClient,
  startClient,
  type ClientHome,
  type ClientResult,
} from './client-process.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let machine: FakeMachine;
let vm: string;
let other: string;
let home: ClientHome;
const qmpctl = (...args: string[]): Promise<ClientResult> => runClient(scene, home, args);

beforeAll(async () => {
  gateway = await scene.gateway({ settings: fakeMachineSettings });
  machine = await fakeMachine(scene);
  vm = await registerVm(gateway, machine.endpoint, { labels: { tenant: 'a' } });
  other = await registerVm(gateway, (await fakeMachine(scene)).endpoint);
  home = clientHome(scene, gateway);
});
afterAll(() => scene.end());

const edges = ['0', '-1', '9007199254740993', '-9223372036854775808', '18446744073709551615'];

describe('integers are exact', () => {
  it.each(edges)('%s, in and out', async (integer) => {
    const { status, stdout } = await qmpctl(
      'exec',
      vm,
      echo,
      `integer=${integer}`,
      `anything:={"deep":[${integer}]}`,
      '-o',
      'jsonl',
    );
    expect([status, stdout]).toEqual([0, `{"integer":${integer},"anything":{"deep":[${integer}]}}\n`]);
  });

  it('in every format, and from --json', async () => {
    const json = '{"integer": 9007199254740993}';
    writeFileSync(inHome(home, 'arguments.json'), json);
    for (const [args, input] of [
      [['--json', json], ''],
      [['--json', '-'], json],
      [['--json', `@${inHome(home, 'arguments.json')}`], ''],
    ] as const)
      expect(await runClient(scene, home, ['exec', vm, echo, ...args], input)).toEqual({
        ...{ status: 0, stderr: '' },
        stdout: '{\n  "integer": 9007199254740993\n}\n',
      });
    for (const [format, text] of [
      ['yaml', 'integer: 9007199254740993\n'],
      ['table', 'integer: 9007199254740993\n'],
      ['jsonl', '{"integer":9007199254740993}\n'],
    ] as const)
      expect((await qmpctl('exec', vm, echo, 'integer=9007199254740993', '-o', format)).stdout).toBe(text);
  });
});

describe('key=value is read by the model', () => {
  it.each([
    [['text=5', 'integer=5'], { text: '5', integer: 5 }],
    [['text=true', 'flag=true'], { text: 'true', flag: true }],
    [['flag=off', 'integer=4K'], { flag: false, integer: 4096 }],
    [['integers=1', 'integers=2'], { integers: [1, 2] }],
    [['integers=[1,2]'], { integers: [1, 2] }],
    [['inner.depth=0x10', 'inner.name=007'], { inner: { depth: 16, name: '007' } }],
    [['either=007'], { either: '007' }],
    [['either.depth=7'], { either: { depth: 7 } }],
    [['number=1.5', 'color=red'], { number: 1.5, color: 'red' }],
    [['anything:="5"'], { anything: '5' }],
    [['text=a=b'], { text: 'a=b' }],
  ])('%j', async (words, expected) => {
    const { status, stdout, stderr } = await qmpctl('exec', vm, echo, ...words);
    expect([status, stderr, JSON.parse(stdout || 'null')]).toEqual([0, '', expected]);
  });

  it.each([
    [['integer=five'], 'integer: takes an integer'],
    [['flag=maybe', 'integer=x'], 'flag: takes true or false; integer: takes an integer'],
    [['anything=5'], 'anything: may be of any type: write key:=JSON, a string in quotes'],
    [['integer:=1,'], 'integer: is not JSON'],
    [['integer=1', 'integer=2'], 'integer: takes one value, and is given 2 times'],
    [['inner=x'], 'inner: has members: write key.member=value, or key:={JSON}'],
    [['what'], '"what" is no argument'],
  ])('%j is refused, and nothing is sent', async (words, message) => {
    const before = machine.fake.commands.length;
    const { status, stdout, stderr } = await qmpctl('exec', vm, echo, ...words);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`qmpctl: ${message}`);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(machine.fake.commands.slice(before).filter(({ name }) => name === echo)).toEqual([]);
  });
});

describe('many VMs', () => {
  it('answer with a line each, and the status is that of the worst', async () => {
    const { status, stdout } = await qmpctl('exec', 'vm-*', echo, 'integer=1');
    expect(status).toBe(0);
    expect(stdout.trimEnd().split('\n').sort()).toEqual(
      [vm, other].map((id) => `${id}  done      {"integer":1}`).sort(),
    );
    const labelled = await qmpctl('exec', '*', echo, '-l', 'tenant=a', '-o', 'name');
    expect(labelled).toEqual({ status: 0, stdout: `${vm}\n`, stderr: '' });
    const list = await qmpctl('exec', `${vm},${other}`, echo, '-o', 'jsonl');
    expect(
      list.stdout
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { status: number }).status),
    ).toEqual([200, 200]);
    const failing = await qmpctl('exec', `${vm},${other}`, 'query-rx-filter', 'name=net0');
    expect(failing.status).not.toBe(0);
    expect(failing.stdout.trimEnd().split('\n')).toHaveLength(2);
  });

  it('of which none is there, or one is not, are told', async () => {
    expect(await qmpctl('exec', 'nobody-*', 'stop')).toMatchObject({ status: 2, stdout: '' });
    const { status, stderr } = await qmpctl('exec', `${vm},${other}x`, echo);
    expect([status, stderr]).toEqual([3, expect.stringContaining(other)]);
  });
});

describe('Ctrl-C while a command runs', () => {
  it('says what goes on, and how to look later', async () => {
    let answer = (): void => undefined;
    const asked = new Promise<void>((resolve) =>
      machine.fake.on(echo, () => {
        resolve();
        return new Promise((done) => (answer = () => done({ return: { late: true } })));
      }),
    );
    const child = startClient(scene, home, ['exec', vm, echo]);
    const result = ended(child);
    await asked;
    child.kill('SIGINT');
    const { status, stdout, stderr } = await result;
    expect([status, stdout]).toEqual([4, '']);
    const [, look = ''] =
      /^qmpctl: \S+: no longer waiting; \S+ goes on \(look: qmpctl (operations .+)\)\n$/.exec(stderr) ?? [];
    answer();
    await expect
      .poll(async () => (await qmpctl(...look.split(' '))).stdout, { timeout: 20_000 })
      .toContain('{"late":true}');
  });
});
