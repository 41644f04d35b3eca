import { describe, expect, it } from 'vitest';
import { Principal } from '../access/principal.js';
import type { CommandPath, CommandRequest } from '../commands/command-request.js';
import { RequestCommands } from '../commands/request-commands.js';
import { Problem } from '../problems/problem.js';
import type { Vm } from '../vms/vm.js';
import { readKeys, type KeysRequest } from './keys-request.js';
import { typeKeys } from './typist.js';

/** A VM that notes what is sent to it, and when on a clock that only waiting moves. */
class Typing {
  readonly sent: string[] = [];
  readonly vm = { id: 'web-1', ready: true, runState: 'running' };
  answer: (request: CommandRequest, count: number) => Problem | undefined = () => undefined;
  asked = () => true;
  endsAt = 60_000;
  now = 0;
  /** Deadlines of the commands. */
  readonly timeouts: unknown[] = [];

  async type(body: KeysRequest): Promise<void> {
    const path: CommandPath = {
      execute: (request, asker) => {
        const args = request.arguments.kind === 'json' ? String(request.arguments.json) : '';
        this.sent.push(`${this.now} ${request.command} ${args}`);
        this.timeouts.push(request.timeoutMs);
        const problem = this.answer(request, this.sent.length);
        asker.answered(problem === undefined ? { ok: true, json: '{}', trace: {} } : { ok: false, problem, trace: {} });
      },
    };
    const principal = new Principal('token:a', 'a', { level: 'operate', vms: ['*'] });
    const commands = new RequestCommands(path, { principal, requestId: 'r', vm: 'web-1' });
    const sleep = (ms: number): Promise<void> => {
      this.now += ms;
      return Promise.resolve();
    };
    const typing = { keys: readKeys(body), asked: () => this.asked(), endsAt: this.endsAt };
    await typeKeys(commands, this.vm as Vm, typing, { now: () => this.now, sleep });
  }
}

const stroke = (...keys: string[]) => JSON.stringify(keys.map((data) => ({ type: 'qcode', data })));

describe('typing', () => {
  it('sends a stroke when the one before was played', async () => {
    const typing = new Typing();
    await typing.type({ text: 'aB\n', hold: '50ms' });
    expect(typing.sent).toEqual([
      `0 send-key {"keys":${stroke('a')},"hold-time":50}`,
      `100 send-key {"keys":${stroke('shift', 'b')},"hold-time":50}`,
      `300 send-key {"keys":${stroke('ret')},"hold-time":50}`,
    ]);
  });

  it('presses keys together', async () => {
    const typing = new Typing();
    await typing.type({ keys: ['ctrl', 'alt', 'delete'] });
    expect(typing.sent).toEqual([`0 send-key {"keys":${stroke('ctrl', 'alt', 'delete')},"hold-time":20}`]);
  });

  it('is refused while nobody listens, also in the middle', async () => {
    const typing = new Typing();
    typing.vm.runState = 'paused';
    await expect(typing.type({ text: 'ab' })).rejects.toMatchObject({ code: 'vm-not-running', outcome: 'not-sent' });
    expect(typing.sent).toEqual([]);
    typing.vm.runState = 'suspended';
    typing.answer = (_, count) => void (typing.vm.runState = count === 2 ? 'paused' : 'suspended');
    await expect(typing.type({ text: 'abc' })).rejects.toMatchObject({
      ...{ code: 'vm-not-running', outcome: 'unknown', fields: { retryable: false } },
      detail: expect.stringMatching(/^After 2 of 3 characters: /) as unknown,
    });
  });

  it('ends with the first command that does, or with its caller', async () => {
    const typing = new Typing();
    typing.answer = () => new Problem('forbidden', 'no');
    await expect(typing.type({ text: 'abc' })).rejects.toMatchObject({ code: 'forbidden', outcome: 'not-sent' });
    expect(typing.sent).toHaveLength(1);
    const left = new Typing();
    left.asked = () => left.sent.length < 2;
    await left.type({ text: 'abc' });
    expect(left.sent).toHaveLength(2);
  });

  it('has one deadline, however long the VM takes over each key, and says how far it came', async () => {
    const slow = new Typing();
    slow.answer = ({ timeoutMs = Infinity }) => {
      slow.now += Math.min(100, timeoutMs);
      return timeoutMs < 100 ? new Problem('deadline-exceeded', 'no reply') : undefined;
    };
    await expect(slow.type({ text: 'a'.repeat(1000) })).rejects.toMatchObject({
      ...{ code: 'deadline-exceeded', outcome: 'unknown', fields: { retryable: false } },
      detail: expect.stringMatching(/^After 428 of 1000 characters: /) as unknown,
    });
    expect(slow.now).toBeLessThan(60_000);
    expect(slow.timeouts.slice(0, 2)).toEqual([59_960, 59_820]);
    expect(slow.sent).toHaveLength(429);
  });

  it('sends no key that could not be let go in time', async () => {
    const typing = new Typing();
    typing.endsAt = 80;
    const refusal = { code: 'deadline-exceeded', outcome: 'not-sent', fields: { vm: 'web-1', retryable: true } };
    await expect(typing.type({ keys: ['ctrl', 'c'] })).rejects.toMatchObject(refusal);
    expect(typing.sent).toEqual([]);
    typing.endsAt = 81;
    await typing.type({ keys: ['ctrl', 'c'] });
    expect(typing.sent).toHaveLength(1);
  });

  it('points at keys as the body has them', async () => {
    const typing = new Typing();
    typing.answer = () =>
      new Problem('invalid-arguments', 'no', { errors: [{ pointer: '/keys/1/data', message: 'unknown value' }] });
    await expect(typing.type({ keys: ['a', 'entre'] })).rejects.toMatchObject({
      ...{ code: 'invalid-request', detail: 'The body does not fit: /keys/1 unknown value.' },
      fields: { errors: [{ in: 'body', pointer: '/keys/1', message: 'unknown value' }] },
    });
    const late = [{ in: 'header', pointer: '/Request-Timeout', message: 'must be less' }] as const;
    typing.answer = () => new Problem('invalid-request', 'no', { errors: late });
    await expect(typing.type({ keys: ['a'] })).rejects.toMatchObject({ fields: { errors: late } });
  });

  it.each([null, 'running', 'paused'])(
    'has no keyboard without the command, whatever the run state: %s',
    async (state) => {
      const typing = new Typing();
      Object.assign(typing.vm, { runState: state, schema: { commands: new Map() } });
      const fields = { vm: 'web-1', command: 'send-key', suggestions: ['query-sev'] };
      typing.answer = () => new Problem('command-not-found', 'no', fields);
      const { vm, command } = fields;
      await expect(typing.type({ text: 'ab' })).rejects.toMatchObject({
        ...{ code: 'command-not-found', retryable: false, fields: { vm, command } },
        detail: expect.stringContaining('no keyboard') as unknown,
      });
    },
  );
});
