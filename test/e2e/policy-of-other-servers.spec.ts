import { classifyCommand, classOrder, commandKnowledge, compareClasses, knownCommands } from '@qmp-gateway/catalog';
import { readJson } from '@qmp-gateway/qapi';
import { StratovirtFake } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentScene, socketOf } from './agent-scene.js';
import type { GatewayProcess } from './gateway-process.js';
import { makeToken } from './gateway-scene.js';
import { exchange } from './http-exchange.js';
import { Entrances } from './policy-entrances.js';
import { loweredSamples, raisedSamples } from './policy-samples.js';

/**
 * The matrix of policy-matrix.spec.ts for servers whose schema is a catalog's, because they can't describe themselves:
 * what policy lets through may still fail for want of arguments.
 */
const scene = new AgentScene();
let gateway: GatewayProcess;
const ofTheSession = ['qmp_capabilities', 'query-qmp-schema', 'query-status', 'query-commands', 'query-version'];
const stratovirt = [...knownCommands('stratovirt')];
/** Those of its session are its own. */
const agent = [...knownCommands('guest-agent')].filter((name) => !name.startsWith('guest-sync'));
/** What of it the catalog has. */
let ofMachine: readonly string[];
/** Judged after policy, or not at all. */
const letThrough = ['done', 'invalid-arguments', 'command-failed'];

beforeAll(async () => {
  const machine = scene.keep(await StratovirtFake.start({ commands: stratovirt }), (made) => made.stop());
  for (const name of stratovirt) if (!ofTheSession.includes(name)) machine.handlers.set(name, () => ({ json: '{}' }));
  const guest = await scene.fakeAgent(agent.filter((name) => name !== 'guest-info'));
  for (const name of agent) if (!guest.handlers.has(name)) guest.on(name, () => ({ json: '{}' }));
  const vms = { micro: { endpoint: `unix:${machine.endpoint.path}`, agent: `unix:${socketOf(guest)}` } };
  gateway = await scene.gateway({ settings: { vms } });
  await gateway.vmBecomes('micro', 'ready');
  const { commands } = (await exchange(gateway, '/v1/vms/micro/schema')).json() as { commands: { name: string }[] };
  ofMachine = commands.map(({ name }) => name).filter((name) => !ofTheSession.includes(name));
  expect(ofMachine.length).toBeGreaterThan(60);
});
afterAll(() => scene.end());

describe.each(classOrder)('level %s', (level) => {
  it('may run on a StratoVirt what its class allows, by all entrances alike', async () => {
    const token = makeToken(gateway, { level, vms: ['*'] });
    const entrances = scene.keep(await Entrances.open(gateway, 'micro', token), (open) => open.close());
    const wrong: unknown[] = [];
    for (const command of ofMachine)
      for (const args of [undefined, ...raisedSamples(command), ...loweredSamples(command, 'stratovirt')]) {
        const root = args === undefined ? undefined : readJson(args).root;
        const allowed = compareClasses(level, classifyCommand({ kind: 'stratovirt' }, command, root).class) >= 0;
        const offered = commandKnowledge('stratovirt', command).offered === true;
        const expected = !offered ? ['not-offered'] : allowed ? letThrough : ['forbidden'];
        const { monitor, ...verdicts } = await entrances.run(command, args);
        if (
          new Set(Object.values(verdicts)).size !== 1 ||
          !expected.includes(verdicts.rest) ||
          (monitor === 'forbidden') !== (offered && !allowed)
        )
          wrong.push({ command, args, allowed, offered, monitor, ...verdicts });
      }
    expect(wrong).toEqual([]);
  }, 60_000);

  it('may run on a guest agent what its class allows, by both entrances alike', async () => {
    const asPrincipal = { ...gateway, token: makeToken(gateway, { level, vms: ['*'] }) };
    const verdictOf = async (path: string, body?: string) => {
      const { status, ...answer } = await exchange(asPrincipal, path, { method: 'POST', ...(body && { body }) });
      return status === 200 ? 'done' : String(answer.json()['code']);
    };
    const wrong: unknown[] = [];
    for (const command of agent) {
      const allowed = compareClasses(level, classifyCommand({ kind: 'guest-agent' }, command, undefined).class) >= 0;
      const offered = commandKnowledge('guest-agent', command).offered === true;
      const expected = !offered ? ['not-offered'] : allowed ? letThrough : ['forbidden'];
      const rest = await verdictOf(`/v1/vms/micro/agent/${command}`);
      const message = await verdictOf('/v1/vms/micro/agent', JSON.stringify({ execute: command }));
      if (rest !== message || !expected.includes(rest)) wrong.push({ command, allowed, offered, rest, message });
    }
    expect(wrong).toEqual([]);
  }, 60_000);
});
