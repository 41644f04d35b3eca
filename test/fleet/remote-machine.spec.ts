import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import path from 'node:path';
import { echoBootSector, serialEchoBootSector } from '@qmp-gateway/test-kit';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentBecomes, startGuestAgent } from '../e2e/agent-scene.js';
import type { GatewayProcess } from '../e2e/gateway-process.js';
import { makeToken, run } from '../e2e/gateway-scene.js';
import { exchange } from '../e2e/http-exchange.js';
import { RfbClient } from '../e2e/rfb-client.js';
import { SerialReader } from '../e2e/serial-reader.js';
import { FleetScene, isReadyAt, registerAt, until } from './fleet-scene.js';

const scene = new FleetScene();
let a: GatewayProcess;
let b: GatewayProcess;
/** What the guest of `screen` read from its keyboard. */
let typed: () => string;
let guestDirectory: string;

beforeAll(async () => {
  await scene.startNats();
  [a, b] = await Promise.all([scene.node('A'), scene.node('B')]);
  guestDirectory = scene.directory();
  const [floppy, console, s0, line] = ['floppy', 'console', 's0', 'line'].map((name) =>
    path.join(guestDirectory, name),
  );
  writeFileSync(floppy!, echoBootSector());
  writeFileSync(line!, serialEchoBootSector());
  typed = () => readFileSync(console!, 'latin1');
  const [screen, serial] = await Promise.all([
    scene.qemu({
      ...{ machine: 'pc', accel: 'tcg' },
      args: [
        ...['-device', 'VGA', '-device', 'pvpanic', '-debugcon', `file:${console!}`, '-vnc', 'none'],
        ...['-drive', `if=floppy,format=raw,file=${floppy!}`],
      ],
    }),
    scene.qemu({
      ...{ machine: 'pc', accel: 'tcg', directory: guestDirectory },
      args: [
        ...['-drive', `if=floppy,format=raw,file=${line!}`],
        ...['-chardev', `socket,id=s0,path=${s0!},server=on,wait=off`, '-serial', 'chardev:s0'],
      ],
    }),
    startGuestAgent(scene, guestDirectory),
  ]);
  await registerAt(b, 'screen', {
    endpoint: `unix:${screen.socket}`,
    agent: `unix:${path.join(guestDirectory, 'qga')}`,
  });
  await registerAt(b, 'serial', { endpoint: `unix:${serial.socket}` });
  for (const id of ['screen', 'serial']) await isReadyAt(a, id);
  await agentBecomes(b, 'screen', 'ready');
}, 120_000);
afterAll(() => scene.end());

const at = (rest: string) => `/v1/vms/screen${rest}`;

/** The trailers of an answer, which fetch does not show. */
async function trailersOf(gateway: GatewayProcess, resource: string): Promise<NodeJS.Dict<string>> {
  const headers = { Authorization: `Bearer ${gateway.token ?? ''}` };
  const [response] = (await once(request(gateway.url + resource, { headers, agent: false }).end(), 'response')) as [
    IncomingMessage,
  ];
  response.resume();
  await once(response, 'end');
  expect(response.trailers).toHaveProperty('content-digest');
  return response.trailers;
}

describe('a machine of another node', () => {
  it('runs, and tells of it at the entry', async () => {
    const { headers } = await run(a, 'screen', 'cont');
    expect(headers['qmp-node']).toBe('B');
    const wanted = at(`/events?after=${String(headers['qmp-event-cursor'])}&event=GUEST_CRASHLOADED&wait=30s&limit=1`);
    expect((await exchange(a, wanted)).json()).toMatchObject({ events: [{ event: 'GUEST_CRASHLOADED' }] });
  });

  it('shows its objects, and lets them be changed', async () => {
    const [atA, atB] = [await exchange(a, at('/qom/machine')), await exchange(b, at('/qom/machine'))];
    // Its clock goes on between the two.
    const still = (text: string): string => text.replaceAll(/"tm_(?:sec|min|hour)": ?\d+/g, '"tm"');
    expect([atA.status, still(atA.text)]).toEqual([200, still(atB.text)]);
    const body = '{"qom-type":"iothread","id":"io0"}';
    expect((await exchange(a, at('/qmp/object-add'), { body })).status).toBe(200);
    const put = await exchange(a, at('/qom/objects/io0/poll-grow'), { method: 'PUT', body: '9007199254740993' });
    expect([put.status, put.headers['qmp-node']]).toEqual([204, 'B']);
    expect((await exchange(b, at('/qom/objects/io0/poll-grow'))).text).toContain('9007199254740993');
  });

  it('shows its screen, and takes keys', async () => {
    const answer = await a.fetch(at('/screen.png'));
    const png = Buffer.from(await answer.arrayBuffer());
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/png']);
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    const keys = await exchange(a, at('/keys'), { body: JSON.stringify({ text: 'far' }) });
    expect(keys.status).toBeLessThan(300);
    await until('the guest has read it', () => Promise.resolve(typed().includes('far')));
  });

  it('has its agent there: commands, programs and files', async () => {
    expect((await exchange(a, at('/agent/guest-ping'), { method: 'POST' })).text).toBe('{}');
    const program = { path: '/bin/sh', arg: ['-c', 'yes "0123456789" | head -c 3000000; exit 3'] };
    const exec = await exchange(a, at('/agent/exec'), { body: JSON.stringify(program) });
    const lines = exec.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect([exec.status, lines.at(-1)]).toMatchObject([200, { exitCode: 3 }]);
    const output = lines
      .filter(({ type }) => type === 'output')
      .map(({ text }) => String(text))
      .join('');
    expect(output).toHaveLength(3_000_000);
    const file = encodeURIComponent(path.join(guestDirectory, 'file'));
    const body = Buffer.alloc(300_000, 'bytes ä ');
    const headers = { 'Content-Type': 'application/octet-stream' };
    const put = await exchange(a, at(`/agent/files?path=${file}`), { method: 'PUT', body, headers });
    expect([put.status < 300, put.text]).toEqual([true, expect.any(String)]);
    expect(readFileSync(path.join(guestDirectory, 'file')).equals(body)).toBe(true);
    const got = await a.fetch(at(`/agent/files?path=${file}`));
    expect(got.status).toBe(200);
    expect(Buffer.from(await got.arrayBuffer()).equals(body)).toBe(true);
    expect(await trailersOf(a, at(`/agent/files?path=${file}`))).toEqual(
      await trailersOf(b, at(`/agent/files?path=${file}`)),
    );
  });

  it('has its serial line as a WebSocket', async () => {
    expect((await exchange(a, '/v1/vms/serial/serials')).json()).toMatchObject({ serials: [{ id: 's0' }] });
    await run(a, 'serial', 'cont');
    const reader = await SerialReader.open(a, 'serial', 's0');
    await reader.tells({ typist: null, types: true });
    await until('it echoes', () => {
      reader.type('x');
      return Promise.resolve(reader.output.includes('x'));
    });
    await reader.close();
  });

  it('has its display as a WebSocket', async () => {
    const opened = await exchange(a, at('/displays/default'), { method: 'POST' });
    expect([opened.status, opened.json()]).toMatchObject([200, { available: true }]);
    const client = scene.keep(new RfbClient(a, 'screen'), ({ socket }) => socket.terminate());
    const size = await client.handshake();
    expect(size.width).toBeGreaterThan(0);
    expect((await exchange(a, at('/displays'))).json()).toMatchObject({ displays: [{ viewers: 1 }] });
  });

  it('has its shared monitor as a WebSocket', async () => {
    const socket = new WebSocket(`${a.url.replace('http', 'ws')}${at('/monitor')}`, {
      headers: { Authorization: `Bearer ${a.token ?? ''}` },
    });
    scene.keep(socket, () => socket.terminate());
    const messages: Record<string, unknown>[] = [];
    socket.on('message', (text: Buffer) => messages.push(JSON.parse(text.toString()) as Record<string, unknown>));
    await once(socket, 'open');
    await until('the greeting', () => Promise.resolve('QMP' in (messages[0] ?? {})));
    socket.send('{"execute":"qmp_capabilities","id":1}');
    socket.send('{"execute":"query-version","id":18446744073709551615}');
    await until('the answers', () => Promise.resolve(messages.filter((message) => 'return' in message).length === 2));
    socket.send('{"execute":"stop","id":3}');
    await until('the event', () => Promise.resolve(messages.some(({ event }) => event === 'STOP')));
  });

  it('ends a WebSocket of one whose token is revoked', async () => {
    const token = makeToken(a, { level: 'operate', vms: ['*'], name: 'leaver' });
    const socket = new WebSocket(`${a.url.replace('http', 'ws')}${at('/monitor')}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    scene.keep(socket, () => socket.terminate());
    await once(socket, 'open');
    const { tokens } = (await exchange(a, '/v1/tokens')).json() as { tokens: { id: string; name: string }[] };
    const { id } = tokens.find(({ name }) => name === 'leaver')!;
    const closed = once(socket, 'close');
    expect((await exchange(a, `/v1/tokens/${id}`, { method: 'DELETE' })).status).toBe(204);
    await closed;
  });
});
