import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentScene, agentBecomes } from './agent-scene.js';
import { change, echo, fakeMachine, fakeMachineSettings, type FakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';

const scene = new AgentScene();
let gateway: GatewayProcess;
let machine: FakeMachine;

beforeAll(async () => {
  machine = await fakeMachine(scene);
  const directory = scene.directory();
  await scene.guestAgent(directory);
  const vms = { vm: { endpoint: machine.endpoint, agent: `unix:${directory}/qga` } };
  gateway = await scene.gateway({ settings: { vms, ...fakeMachineSettings } });
  await gateway.vmBecomes('vm', 'ready');
  await agentBecomes(gateway, 'vm', 'ready');
});
afterAll(() => scene.end());

/** Sends a request whose body is framed as this says. @returns status and body of the answer */
async function send(line: string, framing: string, fields: readonly string[] = []): Promise<[number, string]> {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const [header, rest = ''] = framing.split('|');
  const all = [
    `Host: localhost:${port}`,
    `Authorization: Bearer ${gateway.token ?? ''}`,
    'Connection: close',
    ...fields,
  ];
  socket.write(`${line} HTTP/1.1\r\n${[...all, header].join('\r\n')}\r\n\r\n${rest}`);
  const answer = await text(socket);
  return [Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]), answer.slice(answer.indexOf('\r\n\r\n') + 4)];
}

const framings: readonly (readonly [string, string])[] = [
  ['by its length', 'Content-Length: 0'],
  ['by its length, in more digits', 'Content-Length: 00'],
  ['in chunks', 'Transfer-Encoding: chunked|0\r\n\r\n'],
  ['in chunks with an extension', 'Transfer-Encoding: chunked|0;a=b\r\n\r\n'],
  ['in chunks with a trailer', 'Transfer-Encoding: chunked|0\r\nX-Trailer: a\r\n\r\n'],
];
const types = [[], ['Content-Type: application/json'], ['Content-Type: text/plain'], ['Content-Encoding: gzip']];

describe.each(framings)('an empty body, framed %s, is none:', (_how, framing) => {
  it.each([
    ['a command', `POST /v1/vms/vm/qmp/${change}`, 200, '{}'],
    ['a command that reads', `GET /v1/vms/vm/qmp/${echo}?integer=1`, 200, '{"integer":1}'],
    ['a command of the agent', 'POST /v1/vms/vm/agent/guest-ping', 200, '{}'],
    ['a fan-out', `POST /v1/qmp/${change}?vm=vm`, 200, '"return":{}}\n'],
    ['a session', 'POST /v1/session', 204, ''],
    ['a token that is revoked', 'DELETE /v1/tokens/none', 404, 'No token has this id'],
    ['a VM that is forgotten', 'DELETE /v1/vms/other', 404, '"vm-not-found"'],
    ['a QMP message', 'POST /v1/vms/vm/qmp', 400, 'it is missing; send a QMP message'],
    ['a VM', 'PUT /v1/vms/other', 400, 'it is missing; send a JSON object'],
    ['a token', 'POST /v1/tokens', 400, 'it is missing; send a JSON object'],
    ['keys', 'POST /v1/vms/vm/keys', 400, 'it is missing; send a JSON object'],
    ['a program', 'POST /v1/vms/vm/agent/exec', 400, 'it is missing; send a JSON object'],
    ['a question of access', 'POST /v1/access', 400, 'it is missing; send a JSON object'],
    ['a QOM property', 'PUT /v1/vms/vm/qom/machine/type', 400, 'it is missing; send the value'],
  ])('%s', async (_what, line, status, part) => {
    for (const fields of types)
      expect([fields, await send(line, framing, fields)]).toEqual([fields, [status, expect.stringContaining(part)]]);
  });
});

it('one byte is a body: it needs a type, and has to be JSON', async () => {
  for (const framing of ['Content-Length: 1| ', 'Transfer-Encoding: chunked|1\r\n \r\n0\r\n\r\n']) {
    const line = `POST /v1/vms/vm/qmp/${change}`;
    expect(await send(line, framing)).toEqual([415, expect.stringContaining('"unsupported-media-type"')]);
    expect(await send(line, framing, ['Content-Type: application/json'])).toEqual([
      400,
      expect.stringContaining('"malformed-json"'),
    ]);
  }
});
