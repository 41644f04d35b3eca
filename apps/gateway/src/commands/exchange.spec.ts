import { describe, expect, it } from 'vitest';
import { HttpExchange } from '../http/http-exchange.scene.js';
import { ReplyBudget } from '../http/reply-budget.js';
import { Problem } from '../problems/problem.js';
import { principalOf } from './command.scene.js';
import { Exchange, Outbox } from './exchange.js';

const replies = new ReplyBudget({ replyBytes: 1000 });

function begin(outbox: Outbox, http = new HttpExchange('/')): { readonly http: HttpExchange; readonly own: Exchange } {
  const context = {
    ...{ principal: principalOf('read'), requestId: 'r1', arrivedAt: 0, path: '/', query: '' },
    ...{ answerHeaders: { 'RateLimit-Limit': '5' }, replies },
  };
  const route = { kind: 'fan-out', command: 'stop' } as const;
  return { http, own: new Exchange(outbox, { request: http.request, response: http.response, context, route }) };
}

const value = (json: string) => ({ ok: true, json, trace: { epoch: 'e.1' } }) as const;
const later = () => new Promise<void>((resolve) => void setImmediate(resolve));

describe('an exchange', () => {
  it('answers with the value or the problem, and the way of the command', async () => {
    const outbox = new Outbox();
    const [good, bad] = [begin(outbox), begin(outbox)];
    good.own.answered(value('{"a":1}'));
    bad.own.answered({ ok: false, problem: new Problem('command-failed', 'No.'), trace: { epoch: 'e.2' } });
    const headers = { 'x-request-id': 'r1', 'ratelimit-limit': '5' };
    expect(await good.http.answer()).toMatchObject({
      ...{ status: 200, body: '{"a":1}', headers: { ...headers, 'qmp-vm-epoch': 'e.1' } },
    });
    const { body, ...refused } = await bad.http.answer();
    expect(refused.headers).toMatchObject({ ...headers, 'qmp-vm-epoch': 'e.2' });
    expect(JSON.parse(body)).toMatchObject({ code: 'command-failed', detail: 'No.' });
  });

  it('writes nothing without an answer', () => {
    const { http, own } = begin(new Outbox());
    own.write();
    expect(http.isAnswered).toBe(false);
  });

  it('writes nothing to a client that left', async () => {
    const { http, own } = begin(new Outbox());
    http.response.destroy();
    own.answered(value('1'));
    await later();
    expect(http.isAnswered).toBe(false);
  });
});

describe('the outbox', () => {
  it('writes the answers of a turn at its end, in the order in which they came', async () => {
    const outbox = new Outbox();
    const written: number[] = [];
    const exchanges = [0, 1, 2].map((at) => {
      const begun = begin(outbox);
      begun.http.response.once('finish', () => written.push(at));
      return begun;
    });
    for (const at of [2, 0]) exchanges[at]?.own.answered(value(String(at)));
    expect(written).toEqual([]);
    await later();
    expect(written).toEqual([2, 0]);
  });

  it('leaves an answer that comes while it writes to the next turn', async () => {
    const outbox = new Outbox();
    const [first, second] = [begin(outbox), begin(outbox)];
    first.http.response.once('finish', () => second.own.answered(value('2')));
    first.own.answered(value('1'));
    await later();
    expect([first.http.isAnswered, second.http.isAnswered]).toEqual([true, false]);
    await later();
    expect(second.http.isAnswered).toBe(true);
  });
});
