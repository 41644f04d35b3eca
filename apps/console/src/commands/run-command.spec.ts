import { GatewayProblem, GatewayUnreachable, type ProblemDocument } from '@qmp-gateway/client';
import { expect, it, vi } from 'vitest';
import { OutcomeList } from '../outcomes/outcome-list.js';
import { runCommand, type RunningSession } from './run-command.js';

function sessionOf(run: () => Promise<unknown>, operation: () => Promise<unknown> = vi.fn()): RunningSession {
  const client = { vm: () => ({ executeInFull: run, operation }) };
  return { client, outcomes: new OutcomeList() } as unknown as RunningSession;
}

function problem(more: Partial<ProblemDocument>): GatewayProblem {
  return new GatewayProblem({ code: 'command-failed', status: 422, outcome: 'refused', retryable: false, ...more });
}

const done = { value: {}, operation: 'op-1', cursor: 'k.1' };
const newest = ({ outcomes }: RunningSession) => outcomes.all.at(-1);

it('tells a command that was done, and gives its value', async () => {
  const session = sessionOf(() => Promise.resolve({ ...done, value: 7 }));
  expect(await runCommand(session, 'web-1', 'stop')).toMatchObject({ kind: 'done', value: 7, cursor: 'k.1' });
  expect(session.outcomes.all).toMatchObject([{ kind: 'done', title: 'stop on web-1' }]);
});

it('tells what the VM said when it refused, with every fault of the arguments', async () => {
  const refused = problem({ qmp: { class: 'GenericError', desc: 'Device not found' } });
  const session = sessionOf(() => Promise.reject(refused));
  expect(await runCommand(session, 'a', 'device_del')).toMatchObject({ kind: 'refused' });
  expect(newest(session)).toMatchObject({ kind: 'refused', detail: 'Device not found' });
  const faulty = problem({
    outcome: 'not-sent',
    detail: 'Wrong.',
    errors: [{ pointer: '/id', message: 'is missing' }],
  });
  const other = sessionOf(() => Promise.reject(faulty));
  expect(await runCommand(other, 'a', 'device_del')).toMatchObject({ kind: 'not-sent' });
  expect(newest(other)?.detail).toBe('Wrong.\n/id: is missing');
});

it('follows a command whose outcome is unknown to the end of its operation', async () => {
  const late = problem({ code: 'deadline-exceeded', outcome: 'unknown', operation: '/v1/vms/a/operations/op-7' });
  const operation = vi.fn().mockResolvedValueOnce({ state: 'running' }).mockResolvedValueOnce({ state: 'done' });
  const session = sessionOf(() => Promise.reject(late), operation);
  expect(await runCommand(session, 'a', 'stop')).toMatchObject({ kind: 'unknown' });
  await expect.poll(() => newest(session)?.kind).toBe('done');
  expect(operation).toHaveBeenCalledTimes(2);
});

it('says to look before sending again where the gateway did not answer', async () => {
  const session = sessionOf(() => Promise.reject(new GatewayUnreachable('no answer')));
  expect(await runCommand(session, 'a', 'stop')).toMatchObject({ kind: 'unknown' });
  expect(newest(session)?.detail).toContain('may have been run');
});

it('follows work that goes on after the reply, where that is asked for', async () => {
  const failed = { state: 'failed', error: { code: 'x', detail: 'No space left' } };
  const session = sessionOf(() => Promise.resolve(done), vi.fn().mockResolvedValue(failed));
  await runCommand(session, 'a', 'blockdev-mirror', {}, { follow: true });
  await expect.poll(() => newest(session)).toMatchObject({ kind: 'refused', detail: 'No space left' });
});

it('shows nothing where the caller does', async () => {
  const session = sessionOf(() => Promise.resolve(done));
  await runCommand(session, 'a', 'query-status', undefined, { quiet: true });
  expect(session.outcomes.all).toEqual([]);
});
