import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import {
  argumentsText,
  change,
  echo,
  fakeMachine,
  fakeMachineSettings,
  withoutSpace,
  type FakeMachine,
} from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';
import { JsonRpcClient } from './json-rpc-client.js';

const edges = [
  ...[0n, -1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) + 1n, -(2n ** 53n), -(2n ** 53n) - 1n],
  ...[2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n - 1n],
].map(String);

const scene = new GatewayScene();
let gateway: GatewayProcess;
let machine: FakeMachine;
let vm: string;
let socket: JsonRpcClient;

beforeAll(async () => {
  gateway = await scene.gateway({ settings: fakeMachineSettings });
  machine = await fakeMachine(scene);
  vm = await registerVm(gateway, machine.endpoint);
  socket = scene.keep(await JsonRpcClient.connect(gateway), (client) => client.close());
});
afterAll(() => scene.end());

/** The ways an integer comes in; each gives what the answer says about the echoed arguments. */
const ways: [string, (integer: string) => Promise<string>][] = [
  ['a REST body', async (integer) => (await run(gateway, vm, echo, `{"integer":${integer}}`)).text],
  ['a string of digits', async (integer) => (await run(gateway, vm, echo, `{"integer":"${integer}"}`)).text],
  [
    'a query parameter',
    async (integer) => (await exchange(gateway, `/v1/vms/${vm}/qmp/${echo}?integer=${integer}`)).text,
  ],
  [
    'a QMP message',
    async (integer) =>
      (
        await exchange(gateway, `/v1/vms/${vm}/qmp`, {
          body: `{"execute":"${echo}","arguments":{"integer":${integer}}}`,
        })
      ).text,
  ],
  [
    'JSON-RPC',
    async (integer) => {
      const params = `{"vm":"${vm}","command":"${echo}","arguments":{"integer":${integer}}}`;
      return /"result":(.*)\}$/.exec((await socket.request('execute', params)).text)?.[1] ?? '';
    },
  ],
  [
    'a fan-out',
    async (integer) => {
      const answer = await exchange(gateway, `/v1/qmp/${echo}?vm=${vm}`, { body: `{"integer":${integer}}` });
      return /"return":(.*)\}\n/.exec(answer.text)?.[1] ?? answer.text;
    },
  ],
];

describe('64-bit integers', () => {
  it.each(ways)('come in by %s and go out digit for digit', async (_, send) => {
    for (const integer of edges) {
      expect(await send(integer)).toBe(`{"integer":${integer}}`);
      expect(argumentsText(machine.received.at(-1)!)).toBe(`{"integer":${integer}}`);
    }
  });

  it('become strings beyond ±(2^53-1) when asked, by any way of asking', async () => {
    const body = `{"integers":[${edges.join(',')}],"anything":{"a":[18446744073709551615,"18446744073709551615",1.5e300]}}`;
    const wide = (integer: string) => BigInt(integer) > 2n ** 53n - 1n || BigInt(integer) < -(2n ** 53n) + 1n;
    const shown = edges.map((integer) => (wide(integer) ? `"${integer}"` : integer));
    const expected = `{"integers":[${shown.join(',')}],"anything":{"a":["18446744073709551615","18446744073709551615",1.5e300]}}`;
    const path = `/v1/vms/${vm}/qmp/${echo}`;
    expect((await exchange(gateway, `${path}?int64=string`, { body })).text).toBe(expected);
    const headers = { Accept: 'application/json;int64=string' };
    expect((await exchange(gateway, path, { body, headers })).text).toBe(expected);
    expect((await exchange(gateway, `${path}?integer=${2n ** 53n}`, { headers })).text).toBe(
      `{"integer":"${2n ** 53n}"}`,
    );
    const rpc = await socket.request(
      'execute',
      `{"vm":"${vm}","command":"${echo}","arguments":${body},"int64":"string"}`,
    );
    expect(rpc.text).toContain(`"result":${expected}`);
  });

  it('stay as they are in events and history', async () => {
    const subscribed = await socket.request('subscribe', `{"vm":"${vm}","event":"WIDE"}`);
    const { cursor } = subscribed.result as { cursor: string };
    const data = `{"wide": [${edges.join(', ')}]}`;
    machine.fake.connections[0]?.line(
      `{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "WIDE", "data": ${data}}`,
    );
    await socket.events(1);
    const path = `/v1/vms/${vm}/events?event=WIDE&after=${cursor}&wait=5s`;
    expect((await exchange(gateway, path)).text).toContain(data);
    const asStrings = await exchange(gateway, path, { headers: { Accept: 'application/json;int64=string' } });
    expect(asStrings.json()).toMatchObject({
      events: [{ data: { wide: expect.arrayContaining([String(2n ** 64n - 1n)]) } }],
    });
  });

  it('are refused only where they are none', async () => {
    for (const integer of ['1.0', '1e3', '"1.0"', '"1e3"', '"+1"', '" 1"', '"0x1"', '""', '"--1"'])
      expect([integer, (await run(gateway, vm, echo, `{"integer":${integer}}`)).status]).toEqual([integer, 400]);
  });
});

describe('JSON of any kind', () => {
  it('goes in and comes out byte for byte, but for white space', async () => {
    const space = fc.constantFrom('', ' ', '\t', '\n', '\r\n');
    const number = fc.oneof(
      fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
      fc.constantFrom('-0', '1E5', '1.50', '0.1e+007'),
    );
    const string = fc.oneof(
      fc.string({ unit: 'grapheme' }).map((value) => JSON.stringify(value)),
      fc.constantFrom('"\\u0000"', '"\\/"', '"\\uD83D\\uDE00"', '"\u2028"', '"__proto__"'),
    );
    const { value } = fc.letrec<{ value: string }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.oneof(number, string, fc.constantFrom('null', 'true', 'false')),
        fc
          .tuple(space, fc.array(tie('value'), { maxLength: 4 }))
          .map(([gap, items]) => `[${gap}${items.join(`${gap},`)}]`),
        fc
          .tuple(
            space,
            fc.uniqueArray(fc.string(), { maxLength: 4 }),
            fc.array(tie('value'), { minLength: 4, maxLength: 4 }),
          )
          .map(([gap, names, values]) => {
            const members = names.map((name, at) => `${JSON.stringify(name)}${gap}:${gap}${values[at] ?? 'null'}`);
            return `{${gap}${members.join(',')}${gap}}`;
          }),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(value, fc.constantFrom(echo, change), async (json, command) => {
        const args = `{"anything":${json}}`;
        const answer = await run(gateway, vm, command, args);
        expect([answer.status, answer.text]).toEqual([200, withoutSpace(args)]);
        expect(argumentsText(machine.received.at(-1)!)).toBe(withoutSpace(args));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a real QEMU', () => {
  it('keeps every edge of an unsigned property', async () => {
    const qemu = await scene.qemu({ machine: 'q35', args: ['-device', 'edu,id=edu0'] });
    const real = await registerVm(gateway, `unix:${qemu.socket}`);
    const property = '"path":"/machine/peripheral/edu0","property":"dma_mask"';
    const cases = edges.filter((integer) => BigInt(integer) >= 0n).map((integer) => [integer, integer]);
    // QEMU takes negative numbers for unsigned ones, and so do we.
    for (const [given, kept] of [...cases, ['-1', String(2n ** 64n - 1n)], [String(-(2n ** 63n)), String(2n ** 63n)]]) {
      const set = await run(gateway, real, 'qom-set', `{${property},"value":${given}}`);
      expect([given, set.status, set.text]).toEqual([given, 200, '{}']);
      expect((await run(gateway, real, 'qom-get', `{${property}}`)).text).toBe(kept);
    }
  });

  it('takes a string of digits for an integer of a command', async () => {
    const qemu = await scene.qemu();
    const real = await registerVm(gateway, `unix:${qemu.socket}`);
    const args = '{"qom-type":"iothread","id":"io0","poll-max-ns":"9223372036854775807"}';
    expect((await run(gateway, real, 'object-add', args)).text).toBe('{}');
    const answer = await exchange(gateway, `/v1/vms/${real}/qmp/query-iothreads`, {
      headers: { Accept: 'application/json; int64=string' },
    });
    expect(answer.json()).toMatchObject([{ id: 'io0', 'poll-max-ns': '9223372036854775807' }]);
  });
});
