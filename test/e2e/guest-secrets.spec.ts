import { readFileSync } from 'node:fs';
import path from 'node:path';
import { knownCommands, redactedMembers } from '@qmp-gateway/catalog';
import type { FakeAnswer, FakeCommand } from '@qmp-gateway/test-kit';
import { afterAll, expect, it } from 'vitest';
import { agentBecomes, AgentScene, socketOf } from './agent-scene.js';
import { exchange, type Exchange } from './http-exchange.js';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const canary = { argument: 'canary-argument', reply: 'canary-replying', error: 'canary-error' };
/** As they come and as the agent wants them. */
const needles = Object.values(canary).flatMap((text) => [text, base64(text)]);

const scene = new AgentScene();
afterAll(() => scene.end());

/** A value that the schema takes in place of this member: most are text, some lists of text. */
const secretFor = (member: string) => {
  if (member.endsWith('data') || member.endsWith('b64') || member === 'password') return base64(canary.argument);
  return [canary.argument];
};
const others: Readonly<Record<string, object>> = {
  'guest-set-user-password': { username: 'root', crypted: false },
  'guest-exec': { path: '/bin/true' },
  'guest-file-write': { handle: 1 },
  'guest-ssh-add-authorized-keys': { username: 'root' },
};
const samples = [...knownCommands('guest-agent')].flatMap((command) =>
  redactedMembers('guest-agent', command).map(
    ([member = '']) => [command, JSON.stringify({ ...others[command], [member]: secretFor(member) })] as const,
  ),
);

it('what is secret to a guest comes to it and its caller, and nowhere else', async () => {
  const names = [
    'guest-exec-status',
    ...['open', 'read', 'seek', 'close', 'flush'].map((what) => `guest-file-${what}`),
  ];
  const commands = [...new Set([...samples.map(([command]) => command), ...names])];
  const agent = await scene.fakeAgent(commands);
  let failing = false;
  const answers: Readonly<Record<string, unknown>> = {
    'guest-exec': { pid: 1 },
    'guest-exec-status': { exited: true, exitcode: 0, 'out-data': base64(canary.reply) },
    'guest-file-open': 1,
    'guest-file-read': { count: canary.reply.length, 'buf-b64': base64(canary.reply), eof: true },
    // Both files are as long, so that one answer will do.
    'guest-file-seek': { position: canary.argument.length, eof: false },
    'guest-file-write': { count: canary.argument.length, eof: false },
  };
  const received: string[] = [];
  const answer = ({ name, raw }: FakeCommand): FakeAnswer => {
    received.push(raw.toString());
    if (!failing) return { return: answers[name] ?? {} };
    return { error: { class: 'GenericError', desc: `${canary.error}: cannot take ${raw.toString()}` } };
  };
  for (const name of commands) agent.on(name, answer);
  const { socket } = await scene.qemu();
  const vms = { web: { endpoint: `unix:${socket}`, agent: `unix:${socketOf(agent)}` } };
  const gateway = await scene.gateway({ settings: { vms }, args: ['--log-level', 'trace'] });
  await agentBecomes(gateway, 'web', 'ready');

  const everything = async (): Promise<Exchange[]> => {
    const told: Exchange[] = [];
    const ask = async (resource: string, body: string, type = 'application/json') =>
      told.push(await exchange(gateway, `/v1/vms/web/agent${resource}`, { body, headers: { 'Content-Type': type } }));
    for (const [command, args] of samples) {
      await ask(`/${command}`, args);
      await ask('', JSON.stringify({ execute: command, arguments: JSON.parse(args) as object }));
      await ask(`/${command}`, args.replace('{', '{"no-such-member":1,'));
    }
    for (const more of [
      { arg: [canary.argument] },
      { env: [`PASSWORD=${canary.argument}`] },
      { input: canary.argument },
      { inputBase64: base64(canary.argument) },
    ])
      await ask('/exec', JSON.stringify({ path: '/bin/true', ...more }));
    const file = { body: canary.argument, headers: { 'Content-Type': 'application/octet-stream' } };
    told.push(await exchange(gateway, '/v1/vms/web/agent/files?path=/x&verify=false', { ...file, method: 'PUT' }));
    return told;
  };
  const done = await everything();
  // One of three of the samples is wrong.
  const refused = done.filter(({ status }) => status !== 200).map((refusal) => refusal.json()['code']);
  expect(refused).toEqual(samples.map(() => 'invalid-arguments'));
  expect(done.map(({ text }) => text).join()).toContain(canary.reply);
  const read = await exchange(gateway, '/v1/vms/web/agent/files?path=/x');
  expect(read.text).toBe(canary.reply);
  failing = true;
  const failed = await everything();
  expect(failed.filter(({ status }) => status === 200)).toEqual([]);
  expect(failed.map(({ text }) => text).join()).toContain(canary.error);
  // It was all there to be found.
  expect(
    received.filter((raw) => raw.includes(canary.argument) || raw.includes(base64(canary.argument))).length,
  ).toBeGreaterThan(samples.length * 4);

  const holding = (texts: readonly string[], words: readonly string[]) =>
    texts.filter((text) => words.some((word) => text.includes(word))).map((text) => text.slice(0, 1000));
  // What the agent says is the caller's, but not what the caller said to it.
  const problems = failed.map(({ text }) => text);
  problems.push((await exchange(gateway, '/v1/vms/web/operations')).text);
  expect(holding(problems, [canary.argument, base64(canary.argument)])).toEqual([]);
  const kept = await Promise.all(
    ['/metrics', '/v1/vms', '/v1/events?after=oldest&limit=10000'].map(
      async (resource) => (await exchange(gateway, resource)).text,
    ),
  );
  const audit = () => readFileSync(path.join(gateway.state, 'audit.log'), 'utf8');
  // The last line is there when this command's is.
  await exchange(gateway, '/v1/vms/web/qmp/query-name');
  await expect.poll(audit, { timeout: 10_000 }).toContain('query-name');
  for (const [command] of samples) expect(audit()).toContain(`"command":"${command}"`);
  expect(holding([...kept, gateway.stderr(), audit()], needles)).toEqual([]);
});
