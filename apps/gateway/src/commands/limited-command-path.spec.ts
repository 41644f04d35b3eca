import { ManualClock } from '@qmp-gateway/test-kit';
import { expect, it } from 'vitest';
import { Principal } from '../access/principal.js';
import { RequestLimiter } from '../access/request-limiter.js';
import type { CommandAnswer, CommandRequest } from './command-request.js';
import { LimitedCommandPath } from './limited-command-path.js';

it('counts commands of connections, and sends none past the limit', () => {
  const executed: string[] = [];
  const path = new LimitedCommandPath(
    {
      execute: ({ command }, asker) => {
        executed.push(command);
        asker.answered({ ok: true, json: '{}', trace: {} });
      },
    },
    { limiter: new RequestLimiter(1, new ManualClock()) },
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
  for (const command of ['stop', 'cont'])
    path.execute(request(command), { answered: (answer) => answers.push(answer) });
  expect(executed).toEqual(['stop']);
  expect(answers).toMatchObject([
    { ok: true },
    { ok: false, problem: { code: 'too-many-requests', fields: { vm: 'web-1', command: 'cont' } } },
  ]);
});
