import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { agentBecomes, AgentScene, socketOf } from './agent-scene.js';
import type { GatewayProcess } from './gateway-process.js';
import { makeToken } from './gateway-scene.js';
import { exchange, problemOf, type Exchange } from './http-exchange.js';

const lasting = new AgentScene();
const scene = new AgentScene();
let shared: GatewayProcess;

beforeAll(async () => {
  shared = await lasting.gateway();
});
afterEach(() => scene.end());
afterAll(() => lasting.end());

async function realAgent(): Promise<GatewayProcess> {
  const directory = scene.directory();
  await scene.guestAgent(directory);
  const gateway = await scene.registerAgents(shared, { web: path.join(directory, 'qga') });
  await agentBecomes(gateway, 'web', 'ready');
  return gateway;
}

function exec(gateway: GatewayProcess, program: object, headers?: Record<string, string>): Promise<Exchange> {
  return exchange(gateway, '/v1/vms/web/agent/exec', {
    body: JSON.stringify(program),
    ...(headers === undefined ? {} : { headers }),
  });
}

function shell(script: string): object {
  return { path: '/bin/sh', arg: ['-c', script] };
}

function linesOf({ text }: Exchange): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function outputOf(lines: readonly Record<string, unknown>[], stream: string): Buffer {
  const parts = lines.filter((line) => line['type'] === 'output' && line['stream'] === stream);
  return Buffer.concat(
    parts.map(({ text, base64 }) =>
      typeof text === 'string' ? Buffer.from(text) : Buffer.from(String(base64), 'base64'),
    ),
  );
}

describe('a program in the guest', () => {
  it('that prints 5 MB and ends with code 3 is followed to its end, byte for byte', async () => {
    const gateway = await realAgent();
    // One line of 16 bytes with a character of two of them, again and again: no cut may fall inside it unseen.
    const answer = await exec(gateway, shell('yes "0123456789äbcd" | head -c 5000000; echo oops >&2; exit 3'));
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/x-ndjson']);
    const lines = linesOf(answer);
    expect(lines[0]).toEqual({ type: 'started', pid: expect.any(Number), operation: answer.headers['qmp-operation'] });
    expect(lines.at(-1)).toEqual({
      ...{ type: 'exited', pid: lines[0]?.['pid'], exitCode: 3, signal: null },
      ...{ stdoutBytes: 5_000_000, stderrBytes: 5, stdoutTruncated: false, stderrTruncated: false },
    });
    const expected = Buffer.alloc(5_000_000, '0123456789äbcd\n');
    expect(outputOf(lines, 'stdout').equals(expected)).toBe(true);
    expect(outputOf(lines, 'stderr').toString()).toBe('oops\n');
    expect(lines.filter(({ type, base64 }) => type === 'output' && base64 !== undefined)).toEqual([]);
  });

  it('prints what is no text, is ended by a signal, and prints more than the agent keeps', async () => {
    const gateway = await realAgent();
    const lines = linesOf(await exec(gateway, shell(String.raw`printf '\377\000\r\n'; kill -9 $$`)));
    expect(outputOf(lines, 'stdout')).toEqual(Buffer.from([0xff, 0, 13, 10]));
    expect(lines.at(-1)).toMatchObject({ type: 'exited', exitCode: null, signal: 9, stdoutBytes: 4 });
    const much = linesOf(await exec(gateway, shell('head -c 17000000 /dev/zero')));
    expect(much.at(-1)).toMatchObject({ exitCode: 0, stdoutBytes: 2 ** 24, stdoutTruncated: true });
  });

  it('gets its arguments, environment and input as they are', async () => {
    const gateway = await realAgent();
    const script = 'printf "%s|%s|" "$1" "$GREETING"; cat';
    const program = { ...shell(script), env: ['GREETING=¡hola!', 'PATH=/usr/bin:/bin'] };
    const arg = ['-c', script, 'sh', 'a "b" \\ $c'];
    const typed = linesOf(await exec(gateway, { ...program, arg, input: 'naïve\n' }));
    expect(outputOf(typed, 'stdout').toString()).toBe('a "b" \\ $c|¡hola!|naïve\n');
    const raw = linesOf(await exec(gateway, { ...program, arg, inputBase64: '/wA=' }));
    expect(outputOf(raw, 'stdout').subarray(-2)).toEqual(Buffer.from([0xff, 0]));
  });

  it('that is not there, or not to be run, is a problem and no stream', async () => {
    const gateway = await realAgent();
    expect(problemOf(await exec(gateway, { path: '/no/such/program' }))).toMatchObject({
      ...{ status: 422, code: 'command-failed', outcome: 'refused', command: 'guest-exec' },
      qmp: { desc: expect.stringContaining('/no/such/program') },
    });
    const faults = await exec(gateway, { path: '/bin/true', args: [], timeout: 'soon', inputBase64: 'not base64!' });
    expect(faults.json()).toMatchObject({ code: 'invalid-request' });
    expect((faults.json()['errors'] as { pointer: string }[]).map(({ pointer }) => pointer).sort()).toEqual(
      ['/args', '/inputBase64', '/timeout'].sort(),
    );
    const twice = await exec(gateway, { path: '/bin/cat', input: 'a', inputBase64: 'YQ==' });
    expect(problemOf(twice)).toMatchObject({ code: 'invalid-request', errors: [{ pointer: '/inputBase64' }] });
    for (const grant of [
      { level: 'configure' as const, vms: ['*'] },
      { level: 'host' as const, vms: ['*'], commands: { deny: ['guest-exec-status'] } },
    ]) {
      const headers = { Authorization: `Bearer ${makeToken(gateway, grant)}` };
      expect(problemOf(await exec(gateway, { path: '/bin/true' }, headers))).toMatchObject({ code: 'forbidden' });
    }
  });

  it('is not run when its caller asks for a rehearsal, or for another session', async () => {
    const gateway = await realAgent();
    const file = path.join(scene.directory(), 'made');
    for (const [headers, code] of [
      [{ 'Dry-Run': 'true' }, 'invalid-request'],
      [{ 'Idempotency-Key': 'once' }, 'invalid-request'],
      [{ 'QMP-VM-Epoch': 'another' }, 'epoch-changed'],
    ] as const) {
      const answer = await exec(gateway, { path: '/usr/bin/touch', arg: [file] }, headers);
      expect(problemOf(answer)).toMatchObject({ code, outcome: 'not-sent' });
    }
    // One after the other: had one of them run, it would have ended by now.
    expect(linesOf(await exec(gateway, shell(`test ! -e ${file}`))).at(-1)).toMatchObject({ exitCode: 0 });
  });

  it('that takes longer than it is followed goes on, and is told of by its number', async () => {
    const gateway = await realAgent();
    const directory = scene.directory();
    const answer = await exec(gateway, {
      ...shell(`until [ -e ${directory}/end ]; do sleep 0.05; done; echo late`),
      timeout: '200ms',
    });
    const last = linesOf(answer).at(-1);
    expect(last).toMatchObject({
      type: 'problem',
      pid: expect.any(Number),
      problem: { code: 'deadline-exceeded', outcome: 'unknown' },
    });
    await exec(gateway, { path: '/usr/bin/touch', arg: [`${directory}/end`] });
    let status: Record<string, unknown>;
    do {
      const asked = { body: JSON.stringify({ pid: last?.['pid'] }) };
      status = (await exchange(gateway, '/v1/vms/web/agent/guest-exec-status', asked)).json();
    } while (status['exited'] !== true);
    expect(status).toMatchObject({ exitcode: 0, 'out-data': Buffer.from('late\n').toString('base64') });
  });

  it('whose agent leaves is told of with what is known', async () => {
    const fake = await scene.fakeAgent(['guest-exec', 'guest-exec-status']);
    fake
      .on('guest-exec', () => ({ return: { pid: 7 } }))
      .on('guest-exec-status', ({ connection }) => (connection.close(), null));
    const gateway = await scene.registerAgents(shared, { web: socketOf(fake) });
    await agentBecomes(gateway, 'web', 'ready');
    const lines = linesOf(await exec(gateway, { path: '/bin/true' }));
    expect(lines).toMatchObject([
      { type: 'started', pid: 7 },
      { type: 'problem', pid: 7, problem: { code: 'outcome-unknown', command: 'guest-exec-status' } },
    ]);
  });
});
