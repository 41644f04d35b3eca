import { expect, it } from 'vitest';
import type { CommandAnswer, CommandRequest } from '../commands/command-request.js';
import { Principal } from './principal.js';
import { LimitedCommandPath, RequestLimiter } from './request-limiter.js';

it('lets a burst through, refuses the next, and fills up with time', () => {
  let now = 0;
  const limiter = new RequestLimiter(2, () => now);
  expect(limiter.take('a')).toEqual({
    headers: { 'RateLimit-Limit': '2', 'RateLimit-Remaining': '1', 'RateLimit-Reset': '1' },
  });
  expect(limiter.take('a').headers['RateLimit-Remaining']).toBe('0');
  const { refusal, headers } = limiter.take('a');
  expect(refusal).toMatchObject({ code: 'too-many-requests', headers: { 'Retry-After': '1' } });
  expect(headers).toEqual({ 'RateLimit-Limit': '2', 'RateLimit-Remaining': '0', 'RateLimit-Reset': '1' });
  expect(limiter.take('b').refusal).toBeUndefined();
  now = 500;
  expect(limiter.take('a').refusal).toBeUndefined();
  expect(limiter.take('a').refusal).toBeDefined();
  now = 60_000;
  expect(limiter.take('a').headers['RateLimit-Remaining']).toBe('1');
});

it('counts commands of connections, and sends none past the limit', () => {
  const executed: string[] = [];
  const path = new LimitedCommandPath(
    {
      execute: ({ command }, answer) => {
        executed.push(command);
        answer({ ok: true, json: '{}', trace: {} });
      },
    },
    { limiter: new RequestLimiter(1, () => 0) },
  );
  const request = (command: string): CommandRequest => ({
    principal: new Principal('p', 'p', { level: 'host', vms: ['*'] }),
    requestId: 'r',
    entrance: 'json-rpc',
    vm: 'web-1',
    command,
    arguments: { kind: 'none' },
    arrivedAt: 0,
  });
  const answers: CommandAnswer[] = [];
  for (const command of ['stop', 'cont']) path.execute(request(command), (answer) => answers.push(answer));
  expect(executed).toEqual(['stop']);
  expect(answers).toMatchObject([
    { ok: true },
    { ok: false, problem: { code: 'too-many-requests', fields: { vm: 'web-1', command: 'cont' } } },
  ]);
});
