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
