import { isDeepStrictEqual } from 'node:util';
import {
  classifyCommand,
  commandKnowledge,
  compareClasses,
  knownCommands,
  classOrder,
  type CommandClass as Level,
} from '@qmp-gateway/catalog';
import { readJson } from '@qmp-gateway/qapi';
import type { FakeMonitor } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';
import { Entrances, type Verdicts } from './policy-entrances.js';
import { aimedSamples, hostVectors, loweredSamples, raisedSamples } from './policy-samples.js';

/** Those that describe themselves; the others are in policy-of-other-servers.spec.ts. */
const kinds = ['qemu', 'storage-daemon'] as const;
type Kind = (typeof kinds)[number];
/** The session itself runs these. */
const ofTheSession = ['qmp_capabilities', 'query-qmp-schema', 'query-status', 'query-yank', 'query-commands'];
const unknownCommand = 'x-from-the-future';
const commands = [...new Set(kinds.flatMap((kind) => [...knownCommands(kind)])), unknownCommand];
/** What the gateway itself asks while the operations of this matrix last. A caller's has a member that its own have not. */
const questions = new Set(
  ['balloon', 'block', 'block-exports', 'chardev', 'dirty-rate', 'dump', 'jobs', 'migrate']
    .map((name) => `query-${name}`)
    .concat('qom-list'),
);
const markOfCallers = 'x-of-a-caller';
const marked = (args = '{}') => JSON.stringify({ ...(JSON.parse(args) as object), [markOfCallers]: true });
const matrix = commands
  .filter((command) => !ofTheSession.includes(command))
  .map((command) => {
    const variants = [undefined, ...raisedSamples(command), ...loweredSamples(command)];
    return { command, variants: questions.has(command) ? variants.map(marked) : variants };
  });
const levels = classOrder;

/** The release that fakes say they are. */
const release = '10.2.0';
const classOf = (kind: Kind, command: string, args: string | undefined) =>
  classifyCommand({ kind, version: release }, command, args === undefined ? undefined : readJson(args).root).class;

/** A server that has every command any release had; each takes anything among the members that the samples use. */
function introspection(): string {
  const members = (command: string): string[] =>
    matrix
      .filter((row) => row.command === command)
      .flatMap(({ variants }) => variants.flatMap((args) => Object.keys(JSON.parse(args ?? '{}') as object)));
  return JSON.stringify([
    { name: 'any', 'meta-type': 'builtin', 'json-type': 'value' },
    ...commands.flatMap((name) => [
      {
        name: `arg of ${name}`,
        'meta-type': 'object',
        members: [...new Set(members(name))].map((member) => ({ name: member, type: 'any', default: null })),
      },
      { name, 'meta-type': 'command', 'arg-type': `arg of ${name}`, 'ret-type': 'any', 'allow-oob': true },
    ]),
  ]);
}

const scene = new GatewayScene();
let gateway: GatewayProcess;
const fakes = new Map<Kind, FakeMonitor>();
const entrances = new Map<string, Entrances>();

function fakeOf(kind: Kind): FakeMonitor {
  const fake = fakes.get(kind);
  if (fake === undefined) throw new Error(`no fake ${kind}`);
  return fake;
}
/** What callers had it run since its list was emptied. */
const ofCallers = ({ commands: seen }: FakeMonitor) =>
  seen.filter(({ name, arguments: args }) => !questions.has(name) || (args instanceof Object && markOfCallers in args));
function endpointOf({ endpoint }: FakeMonitor): string {
  if (endpoint.kind !== 'unix') throw new Error('not a unix socket');
  return `unix:${endpoint.path}`;
}

beforeAll(async () => {
  for (const kind of kinds) {
    const fake = await scene.fake();
    for (const name of commands) if (name !== 'qmp_capabilities') fake.on(name, () => ({ json: '{}' }));
    fake
      .on('query-qmp-schema', () => ({ json: introspection() }))
      .on('query-status', () => ({ json: '{"status": "running"}' }))
      .on('query-chardev', () => ({ json: '[{"label": "ours", "filename": "unix:elsewhere,server=on"}]' }));
    fakes.set(kind, fake);
  }
  const vms = Object.fromEntries([...fakes].map(([kind, fake]) => [kind, { endpoint: endpointOf(fake), kind }]));
  gateway = await scene.gateway({ settings: { vms } });
  for (const kind of kinds) {
    await gateway.vmBecomes(kind, 'ready');
    for (const level of levels) {
      const token = makeToken(gateway, { level, vms: ['*'] });
      const open = scene.keep(await Entrances.open(gateway, kind, token), (made) => made.close());
      entrances.set(`${kind} ${level}`, open);
    }
  }
});
afterAll(() => scene.end());

/** Runs it by every entrance, and tells how often the server saw it. */
async function runAll(
  [kind, level]: readonly [Kind, string],
  command: string,
  args?: string,
  options?: { oob: boolean },
): Promise<[Verdicts, number]> {
  const fake = fakeOf(kind);
  fake.commands.length = 0;
  const open = entrances.get(`${kind} ${level}`);
  if (open === undefined) throw new Error(`no entrances for ${level}`);
  const verdicts = await open.run(command, args, options);
  return [verdicts, ofCallers(fake).filter(({ name }) => name === command).length];
}
const everywhere = (verdict: string) => ({
  rest: verdict,
  message: verdict,
  'fan-out': verdict,
  'json-rpc': verdict,
  monitor: verdict === 'not-offered' ? 'error' : verdict,
});
const each = (of: readonly string[]) => kinds.flatMap((kind) => of.map((level) => [kind, level as Level] as const));

it('has samples that raise and samples that lower', () => {
  const classes = matrix.flatMap(({ command, variants }) =>
    variants
      .slice(1)
      .map((args) => compareClasses(classOf('qemu', command, args), commandKnowledge('qemu', command).class)),
  );
  expect(classes.filter((difference) => difference > 0).length).toBeGreaterThan(3);
  expect(classes.filter((difference) => difference < 0).length).toBeGreaterThan(6);
  for (const command of ['device_add', 'netdev_add', 'object-add', 'chardev-add', 'blockdev-add', 'transaction'])
    expect(classOf('qemu', command, loweredSamples(command)[0]), command).toBe('configure');
});

describe.each(each(levels))('%s: level %s', (kind, level) => {
  it('may run what its class allows, by all entrances alike', async () => {
    const wrong: unknown[] = [];
    for (const { command, variants } of matrix)
      for (const args of variants) {
        const allowed = compareClasses(level, classOf(kind, command, args)) >= 0;
        const offered = commandKnowledge(kind, command).offered === true;
        const expected = everywhere(!offered ? 'not-offered' : allowed ? 'done' : 'forbidden');
        const times = offered && allowed ? Object.keys(expected).length : 0;
        const [verdicts, seen] = await runAll([kind, level], command, args);
        if (seen !== times || !isDeepStrictEqual(verdicts, expected))
          wrong.push({ command, args, expected, times, verdicts, seen });
      }
    expect(wrong).toEqual([]);
  }, 120_000);

  it('says beforehand what it says of the command itself', async () => {
    const open = { ...gateway, token: makeToken(gateway, { level, vms: ['*'] }) };
    const wrong: unknown[] = [];
    for (const { command, variants } of matrix) {
      const offered = commandKnowledge(kind, command).offered === true;
      const expected = new Set<boolean>();
      for (const args of [...variants, ...aimedSamples(command, 'ours')]) {
        const body = `{"vm":"${kind}","command":"${command}"${args === undefined ? '' : `,"arguments":${args}`}}`;
        const { allowed, class: commandClass, rule, reason } = (await exchange(open, '/v1/access', { body })).json();
        const judged = classOf(kind, command, args);
        const isAimed = aimedSamples(command, 'ours').includes(args ?? '');
        expected.add(offered && !isAimed && compareClasses(level, judged) >= 0);
        if (allowed !== (offered && !isAimed && compareClasses(level, judged) >= 0) || commandClass !== judged)
          wrong.push({ command, args, allowed, commandClass });
        if (!rule || !reason) wrong.push({ command, args, rule, reason });
      }
      const outlook = (await exchange(open, `/v1/access?vm=${kind}&command=${command}`)).json();
      // The samples reach both ends of the range, so what they have in common is what can be said of all arguments.
      const classes = variants.map((args) => classOf(kind, command, args)).sort(compareClasses);
      const { allowed, class: byName, lowestClass, highestClass } = outlook;
      const told = [allowed, byName, lowestClass, highestClass];
      const right = [
        expected.size === 2 ? 'by-arguments' : expected.has(true),
        classOf(kind, command, undefined),
        classes[0],
        classes.at(-1),
      ];
      if (!isDeepStrictEqual(told, right)) wrong.push({ command, told, right });
    }
    expect(wrong).toEqual([]);
  }, 120_000);
});

describe.each(each(['read', 'operate', 'configure']))('%s: level %s', (kind, level) => {
  it('reaches the host by none of its ways in, in no spelling', async () => {
    const wrong: unknown[] = [];
    for (const [command, args] of hostVectors) {
      const [verdicts, seen] = await runAll([kind, level], command, args);
      if (seen > 0 || Object.values(verdicts).some((verdict) => verdict !== 'forbidden'))
        wrong.push({ command, args, verdicts, seen });
    }
    expect(wrong).toEqual([]);
    // All of them are judged alike: nothing else was sent either.
    expect(ofCallers(fakeOf(kind))).toEqual([]);
  }, 120_000);

  it('reaches it out of band neither', async () => {
    for (const [command, args] of hostVectors.filter(([name]) => name.startsWith('migrate'))) {
      const [verdicts, seen] = await runAll([kind, level], command, args, { oob: true });
      expect([command, args, seen, verdicts]).toEqual([command, args, 0, everywhere('forbidden')]);
    }
  });
});

describe('hostCommands: false', () => {
  it('stops level host too, for one VM or for all', async () => {
    const other = await scene.fake();
    for (const [name, handler] of fakeOf('qemu').handlers) other.on(name, handler);
    const endpoint = endpointOf(other);
    for (const settings of [
      { hostCommands: false, vms: { web: { endpoint } } },
      { vms: { web: { endpoint, hostCommands: false } } },
    ]) {
      const closed = await scene.gateway({ settings });
      await closed.vmBecomes('web', 'ready');
      // What the gateway asked to know the VM is no command of anybody.
      other.commands.length = 0;
      expect((await run(closed, 'web', 'stop')).status).toBe(200);
      const refused = await run(closed, 'web', 'screendump', '{"filename":"/tmp/x"}');
      expect(refused.json()).toMatchObject({ code: 'forbidden', detail: expect.stringContaining('hostCommands') });
      await closed.stop();
      expect(other.commands.map(({ name }) => name)).not.toContain('screendump');
    }
  });
});
