import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Problem } from '../problems/problem.js';
import { isUnhurried, useBody, type BodyParts } from './streamed-body.js';

let server: Server;
let sender: Socket;
/** What the body is used for; the answer tells what became of it. */
let use: (parts: BodyParts) => Promise<string>;
let wasUnhurried: boolean;
let arrived: Promise<unknown>;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  server = createServer((request, response) => {
    const used = useBody(request, (parts) => {
      wasUnhurried = isUnhurried(request.socket);
      return use(parts);
    });
    void used
      .catch((error: unknown) => (error instanceof Problem ? error.detail : String(error)))
      .then((told) => response.end(`${told} ${isUnhurried(request.socket) ? 'unhurried' : 'hurried'}`));
  }).listen(0, '127.0.0.1');
  arrived = once(server, 'request');
  await once(server, 'listening');
  sender = connect((server.address() as AddressInfo).port, '127.0.0.1');
  sender.write('PUT /v1/vms/a/agent/files?path=b HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345');
});
afterEach(() => {
  vi.useRealTimers();
  sender.destroy();
  server.close();
});

const refuse = () => Promise.reject(new Problem('command-failed', 'There is no such directory.'));
const all = async (parts: BodyParts) => {
  let text = '';
  for await (const part of parts) text += part.toString();
  return text;
};
const answer = async (): Promise<string> => String(((await once(sender, 'data')) as [Buffer])[0]);

it('brings the body, however long it takes to come', async () => {
  use = all;
  await arrived;
  sender.write('67890');
  expect(await answer()).toContain('1234567890 hurried');
  expect(wasUnhurried).toBe(true);
});

it('gives up a sender that says nothing for 30 s', async () => {
  use = all;
  await arrived;
  await vi.advanceTimersByTimeAsync(30_000);
  expect(await answer()).toContain('The sender sent nothing for 30 s. hurried');
});

it('waits for the rest of a refused body no longer than for others, though none of it was read', async () => {
  use = refuse;
  expect(await answer()).toContain('There is no such directory. hurried');
  await vi.advanceTimersByTimeAsync(29_000);
  expect(sender.readableEnded).toBe(false);
  sender.write('6');
  const closed = once(sender, 'close');
  await vi.advanceTimersByTimeAsync(1000);
  await closed;
});

it('takes the next request behind a refused body that came in time', async () => {
  use = refuse;
  await answer();
  use = all;
  sender.write('67890PUT /v1/vms/a/agent/files?path=b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab');
  expect(await answer()).toContain('ab hurried');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sender.destroyed).toBe(false);
});
