import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeResource, writeValue } from '../http/answer.js';
import { Listener } from './listener.js';
import type { RequestContext } from '../http/request-context.js';
import { ReplyBudget } from '../http/reply-budget.js';

const bytes = Buffer.alloc(100_000, 'x');
const replies = new ReplyBudget({ replyBytes: 150_000 });
const context: RequestContext = {
  ...{ requestId: 'r', arrivedAt: 0, path: '/', query: '', answerHeaders: {} },
  replies,
};

let server: Server;
let reader: Socket;
/** Answers of one connection, in their order: what is written to the second waits for the end of the first. */
let answers: ServerResponse[];

beforeEach(async () => {
  answers = [];
  server = createServer((_request, response) => answers.push(response));
  const listener = new Listener({ kind: 'tcp', host: '127.0.0.1', port: 0 }, server);
  await listener.listen();
  reader = connect(listener.door.port ?? 0, '127.0.0.1').resume();
  reader.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3));
  await until(() => answers.length === 3);
});
afterEach(async () => {
  reader.destroy();
  server.close();
  await once(server, 'close');
  expect(replies.refusal).toBeUndefined();
});

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};
const end = (at: number): void => void answers[at]!.end();

describe('answers that wait', () => {
  it.each([
    { what: 'values', write: (response: ServerResponse) => writeValue(response, bytes, context, {}) },
    {
      what: 'pictures',
      write: (response: ServerResponse) => writeResource(response, context, {}, { type: 'image/png', bytes }),
    },
  ])('are refused more of past the bound, until they leave: $what', async ({ write }) => {
    write(answers[1]!);
    expect(replies.refusal).toBeUndefined();
    write(answers[2]!);
    expect(replies.refusal).toMatchObject({ code: 'too-many-requests', outcome: 'not-sent' });
    end(0);
    await until(() => replies.refusal === undefined);
  });

  it('count no more when their reader leaves', async () => {
    for (const response of answers.slice(1)) writeValue(response, bytes, context, {});
    expect(replies.refusal).toBeDefined();
    reader.destroy();
    await until(() => replies.refusal === undefined);
  });

  it('count as much as is left of their parts', async () => {
    const write = (response: ServerResponse): void => {
      replies.count(response, bytes.length);
      response.write(bytes, () => replies.taken(response, bytes.length));
    };
    for (let part = 0; part < 3; part++) write(answers[1]!);
    expect(replies.refusal).toBeDefined();
    end(0);
    await until(() => replies.refusal === undefined);
    write(answers[2]!);
    expect(replies.refusal).toBeUndefined();
    write(answers[2]!);
    expect(replies.refusal).toBeDefined();
    end(1);
    end(2);
    await until(() => replies.refusal === undefined);
  });
});
