import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StratovirtFake } from './stratovirt-fake.js';

let fake: StratovirtFake;
let socket: Socket;
let received = '';

/** Waits until the text received holds so many lines, and takes them. */
async function lines(count: number): Promise<string[]> {
  while (received.split('\n').length <= count) await once(socket, 'data');
  const all = received.split('\r\n');
  received = all.slice(count).join('\r\n');
  return all.slice(0, count);
}

beforeEach(async () => {
  fake = await StratovirtFake.start();
  received = '';
  socket = connect(fake.endpoint.path);
  socket.setEncoding('utf8').on('data', (text) => (received += String(text)));
  await once(socket, 'connect');
});

afterEach(async () => {
  socket.destroy();
  await fake.stop();
});

describe('StratovirtFake', () => {
  it('greets as StratoVirt does', async () => {
    expect(await lines(1)).toEqual([
      '{"QMP":{"version":{"qemu":{"micro":1,"minor":0,"major":5},"package":"StratoVirt-2.5.0"},"capabilities":[]}}',
    ]);
  });

  it('takes what arrives together for one document', async () => {
    await lines(1);
    socket.write('{"execute":"query-status"}\n{"execute":"query-status"}\n');
    expect(await lines(1)).toEqual([
      '{"error":{"class":"GenericError","desc":"trailing characters at line 2 column 1"}}',
    ]);
    expect(fake.executed).toEqual([]);
    expect(fake.offences).toEqual(['not-one-document']);
  });

  it('lets 101 messages pass in a burst and throttles the next', async () => {
    await lines(1);
    for (let count = 0; count < 101; count++) {
      socket.write('{"execute":"block-commit"}');
      await lines(1);
    }
    expect(fake.offences).toEqual([]);
    for (let count = 0; count < 20; count++) {
      socket.write('{"execute":"block-commit"}');
      await lines(1);
    }
    expect(fake.offences).toContain('throttled');
    expect(fake.executed.length).toBeGreaterThanOrEqual(101);
  });

  it('takes 8,192 bytes and refuses one more', async () => {
    await lines(1);
    socket.write('{"execute":"block-commit"}'.padEnd(8192));
    expect(await lines(1)).toEqual(['{"return":{}}']);
    socket.write('{"execute":"block-commit"}'.padEnd(8193));
    expect(await lines(1)).toEqual(['{"error":{"class":"GenericError","desc":"The socket message is too long."}}']);
  });

  it.each([
    ['{"execute":"query-kvm","id":"a"}', '{"return":{},"id":"a"}'],
    ['{"execute":"query-kvm","id":null}', '{"return":{}}'],
    [
      '{"execute":"query-kvm","id":7}',
      '{"error":{"class":"GenericError","desc":"invalid type: number, expected a string"}}',
    ],
    ['{"execute":"qmp_capabilities","id":"a"}', '{"return":{}}'],
    ['{"execute":"query-workloads","arguments":{}}', '{"return":{}}'],
    ['{"execute":"query-workloads","id":"a"}', '{"error":{"class":"GenericError","desc":"missing field `arguments`"}}'],
    ['{"execute":"query-ohui-status"}', '{"return":{}}'],
    [
      '{"execute":"query-ohui-status","arguments":{}}',
      '{"error":{"class":"GenericError","desc":"invalid type: map, expected a string"}}',
    ],
    [
      '{"exec-oob":"query-kvm"}',
      '{"error":{"class":"GenericError","desc":"missing field `execute` at line 1 column 2"}}',
    ],
  ])('answers %s with %s', async (message, answer) => {
    await lines(1);
    socket.write(message);
    expect(await lines(1)).toEqual([answer]);
  });

  it('notices a half-close', async () => {
    await lines(1);
    socket.end();
    await once(socket, 'close');
    expect(fake.offences).toEqual(['half-closed']);
  });
});

describe('StratovirtFake on tcp', () => {
  async function dialled(): Promise<{ fake: StratovirtFake; client: Socket }> {
    const onTcp = await StratovirtFake.start({ tcp: true });
    const client = connect(onTcp.tcpEndpoint);
    await once(client, 'data');
    return { fake: onTcp, client };
  }

  async function answerTo(client: Socket, message: string): Promise<string> {
    let text = '';
    client.on('data', (chunk) => (text += String(chunk)));
    client.write(message);
    while (!text.endsWith('\n')) await once(client, 'data');
    return text;
  }

  it.each([
    ['the end of the stream after a failed command', ['nope'], 'end', ['ended', 'panicked']],
    ['the end right after the greeting', [], 'end', ['ended', 'panicked']],
    ['the end after a query that followed a failed command', ['nope', 'query-status'], 'end', ['ended']],
    ['a reset after a failed command', ['nope'], 'reset', []],
  ] as const)('takes %s as StratoVirt does', async (_, commands, how, offences) => {
    const { fake: onTcp, client } = await dialled();
    for (const command of commands) await answerTo(client, `{"execute":"${command}"}`);
    if (how === 'end') client.destroy();
    else client.resetAndDestroy();
    if (how === 'end') while (onTcp.offences.length < offences.length) await new Promise((r) => setImmediate(r));
    if (!(offences as readonly string[]).includes('panicked')) {
      const next = connect(onTcp.tcpEndpoint);
      await once(next, 'data');
      next.destroy();
    } else {
      const next = connect(onTcp.tcpEndpoint);
      expect(await once(next, 'error')).toMatchObject([{ code: 'ECONNREFUSED' }]);
    }
    expect(onTcp.offences.slice(0, offences.length)).toEqual(offences);
    await onTcp.stop();
  });
});
