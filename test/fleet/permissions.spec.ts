import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { connect } from '@nats-io/transport-node';
import { FleetSubjects } from '@qmp-gateway/fleet-protocol';
import { NatsServers } from '@qmp-gateway/test-kit';
import { afterEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { parse } from 'yaml';
import { settingsType } from '../../apps/gateway/src/settings/settings.js';
import { blocksOf } from '../e2e/documented-commands.js';
import { nextNdjsonEvents, openLines } from '../e2e/event-readers.js';
import { change, fakeMachine, fakeMachineSettings } from '../e2e/fake-machine.js';
import type { GatewayProcess } from '../e2e/gateway-process.js';
import { GatewayScene, makeToken, registerVm, run } from '../e2e/gateway-scene.js';
import { exchange } from '../e2e/http-exchange.js';
import { JsonRpcClient } from '../e2e/json-rpc-client.js';
import { pause } from './directory-nodes.js';
import { userOf, withUsers } from './documented-users.js';

const scene = new GatewayScene();
afterEach(() => scene.end());

/** Larger than what goes in one message. */
const large = JSON.stringify({ text: 'x'.repeat(3 * 1024 * 1024) });
const subjects = new FleetSubjects('prod');
/** Without what a node with `manage: false` does not need. */
const withoutMaking = (user: string) => user.replaceAll(/ +"\$JS\.API\.(?:INFO|STREAM\.CREATE\..*)"\n/g, '');

async function nats(...nodes: string[]): Promise<NatsServers> {
  const configuration = withUsers(nodes.map((node) => (node === 'c' ? withoutMaking(userOf(node)) : userOf(node))));
  return scene.start(NatsServers.start({ configuration }), (servers) => servers.stop());
}

async function gateway(servers: NatsServers, node: string, more: object = {}): Promise<GatewayProcess> {
  const passwordFile = path.join(scene.directory(), 'password');
  writeFileSync(passwordFile, `secret of ${node}\n`);
  const fleet = { name: 'prod', node, servers: servers.urls, credentials: { user: node, passwordFile } };
  return scene.gateway({
    settings: {
      ...fakeMachineSettings,
      vms: { far: { endpoint: 'tcp:127.0.0.1:9', shared: true } },
      fleet: { ...fleet, heartbeat: '1s', unreachableAfter: '3s', ...more },
    },
  });
}

/** What NATS refused, as it says itself. */
const refusals = (servers: NatsServers) =>
  [...servers.first.log().matchAll(/(\w+) Violation - .*Subject "([^"]*)"/g)].map(([, what, subject]) => [
    what,
    subject,
  ]);

/** @param holds of the answer's text */
async function until(at: GatewayProcess, resource: string, holds: (text: string) => boolean): Promise<void> {
  while (!holds((await exchange(at, resource)).text)) await pause(50);
}

async function vmAt(gateway: GatewayProcess): Promise<string> {
  const { fake, endpoint } = await fakeMachine(scene);
  fake.on('stop', ({ connection }) => {
    connection.event('STOP');
    return { return: {} };
  });
  fake.on(change, () => ({ json: large }));
  return registerVm(gateway, endpoint);
}

/** Whatever a client can do at one node with a VM of another one. */
async function useAll(a: GatewayProcess, id: string, node: string): Promise<void> {
  await until(a, '/v1/vms', (text) => text.includes(`"id":"${id}","state":"ready"`));
  // A node that has just started can send nothing to another one before it has heard that.
  while ((await run(a, id, 'query-status')).status !== 200) await pause(50);
  const lines = await openLines(a, '/v1/events?event=STOP', 'application/x-ndjson');
  const answer = await run(a, id, change);
  expect([answer.status, answer.headers['qmp-node'], answer.text === large]).toEqual([200, node, true]);
  const fanOut = await exchange(a, '/v1/qmp/stop?vm=vm-*', { method: 'POST' });
  expect(fanOut.text).toContain('"selected":1,"ok":1');
  expect(await nextNdjsonEvents(lines, 1)).toMatchObject([{ vm: id, event: 'STOP' }]);
  lines.close();
  const rpc = scene.keep(await JsonRpcClient.connect(a), (client) => client.close());
  expect((await rpc.request('execute', `{"vm":"${id}","command":"stop"}`)).error).toBeUndefined();
  const headers = { Authorization: `Bearer ${a.token ?? ''}` };
  const socket = new WebSocket(`${a.url.replace('http', 'ws')}/v1/vms/${id}/monitor`, ['qmp'], { headers });
  const [greeting] = (await once(socket, 'message')) as [Buffer];
  expect(greeting.toString()).toContain('QMP');
  socket.terminate();
}

it('are enough for all that a fleet does', { timeout: 120_000 }, async () => {
  const servers = await nats('host-17', 'b.example', 'c');
  const a = await gateway(servers, 'host-17');
  let b = await gateway(servers, 'b.example');
  await until(b, '/v1/vms?vm=far', (text) => /"node":"host-17".*"lease":\d|"lease":\d.*"node":"host-17"/.test(text));
  const id = await vmAt(b);
  await useAll(a, id, 'b.example');
  const token = makeToken(a, { name: 'some', level: 'read', vms: ['*'] });
  while ((await exchange(b, '/v1/vms', { headers: { Authorization: `Bearer ${token}` } })).status !== 200)
    await pause(50);
  await useAll(await gateway(servers, 'c', { manage: false }), id, 'b.example');

  b.process.kill('SIGKILL');
  await b.ended;
  expect((await run(a, id, 'stop')).json()).toMatchObject({ code: 'vm-unavailable', outcome: 'not-sent' });
  await until(a, '/v1/vms', (text) => text.includes(`"id":"${id}","state":"unreachable"`));
  // In a new state directory, so that the name has to be claimed.
  b = await gateway(servers, 'b.example');
  while ((await exchange(b, '/readyz?fleet=1')).status !== 200) await pause(50);
  await b.stop();
  await until(a, '/v1/nodes', (text) => !text.includes('b.example'));
  expect(refusals(servers)).toEqual([]);
});

it('are of a node whose settings are right', () => {
  const settings = blocksOf('docs/fleet.md').find(({ language }) => language === 'yaml')?.text ?? '';
  const { faults, value } = settingsType.read(parse(settings) as Record<string, unknown>);
  expect(faults).toEqual([]);
  expect(value?.fleet).toMatchObject({ name: 'prod', node: 'host-17', credentials: { user: 'host-17' } });
});

it('do not permit one node to be another, or to change what the fleet keeps', async () => {
  const servers = await nats('host-17', 'b');
  const [a, b] = await Promise.all([gateway(servers, 'host-17'), gateway(servers, 'b')]);
  await until(a, '/v1/nodes', (text) => text.includes('"node":"b"'));
  const own = await connect({ servers: servers.urls, user: 'host-17', pass: 'secret of host-17' });
  const stream = subjects.eventStream;
  const forbidden = [
    ...[subjects.command('c', 'b'), subjects.exchange('c', 'b', 'x'), subjects.events('b'), subjects.live('b')],
    ...[`$KV.${subjects.nodeBucket}.b`, `$KV.${subjects.nodeBucket}.b.0.0`, '_INBOX_prod.x'],
    ...['DELETE', 'UPDATE', 'PURGE'].map((what) => `$JS.API.STREAM.${what}.${stream}`),
    ...[`$JS.API.STREAM.MSG.DELETE.${stream}`, `$JS.API.CONSUMER.CREATE.${stream}`, '$JS.API.STREAM.CREATE.OTHER'],
  ];
  const unheard = [subjects.commandsFor('b'), subjects.exchangesOf('b'), `${subjects.prefix}.>`, '>'];
  for (const subject of forbidden) own.publish(subject, '{}');
  for (const subject of unheard) own.subscribe(subject, { callback: () => undefined });
  await own.flush();
  const wanted = [
    ...forbidden.map((subject) => ['Publish', subject]),
    ...unheard.map((subject) => ['Subscription', subject]),
  ];
  while (refusals(servers).length < wanted.length) await pause(20);
  expect(refusals(servers)).toEqual(wanted);
  await own.close();

  // Not by the gateway either: only a user with more permissions can forget another node.
  b.process.kill('SIGKILL');
  await b.ended;
  await until(a, '/v1/nodes', (text) => text.includes('"state":"unreachable"'));
  const kept = await exchange(a, '/v1/nodes/b', { method: 'DELETE' });
  expect([kept.status, kept.json()['code']]).toEqual([503, 'fleet-unavailable']);
});
