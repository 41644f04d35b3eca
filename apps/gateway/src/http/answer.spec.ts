import { describe, expect, it } from 'vitest';
import { Problem } from '../problems/problem.js';
import { writeProblem } from './answer.js';
import { HttpExchange } from './http-exchange.scene.js';
import { ReplyBudget } from './reply-budget.js';

const problem = new Problem('internal-error', 'It failed.');
const context = {
  ...{ requestId: 'r1', arrivedAt: 0, path: '/v1/vms', query: '' },
  ...{ answerHeaders: {}, replies: new ReplyBudget({ replyBytes: 1000 }) },
};

describe('a problem', () => {
  it('takes the place of an answer that was prepared', async () => {
    const { response, answer } = exchangeOf();
    response.setHeader('ETag', '"a"');
    writeProblem(response, problem, context);
    const { status, headers, body } = await answer();
    expect([status, headers['etag'], headers['x-request-id']]).toEqual([500, undefined, 'r1']);
    expect(JSON.parse(body)).toMatchObject({ code: 'internal-error', detail: 'It failed.' });
  });

  it('that comes when the answer has begun breaks it off', () => {
    const { response, wire } = exchangeOf();
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    response.write('{}\n');
    writeProblem(response, problem, context);
    expect([response.destroyed, wire.destroyed]).toEqual([true, true]);
    // What ends a body in chunks.
    expect(wire.text).not.toMatch(/0\r\n\r\n$/);
  });

  it('that comes after the answer changes nothing', async () => {
    const { response, answer } = exchangeOf();
    response.end('done');
    writeProblem(response, problem, context);
    expect(response.destroyed).toBe(false);
    expect(await answer()).toMatchObject({ status: 200, body: 'done' });
  });
});

function exchangeOf() {
  const exchange = new HttpExchange('/v1/vms');
  return { response: exchange.response, wire: exchange.wire, answer: () => exchange.answer() };
}
