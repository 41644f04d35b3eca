import { nkeys } from '@nats-io/transport-node';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeCertificates, NatsServers } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { documentedUsers, permissionsOf, userOf, withUsers } from './documented-users.js';
import { exchange } from '../e2e/http-exchange.js';
import { run } from '../e2e/gateway-scene.js';
import { FleetScene, until } from './fleet-scene.js';
import { NatsAccounts } from './nats-accounts.js';

let scene: FleetScene;
let directory: string;

beforeEach(() => {
  scene = new FleetScene();
  directory = scene.directory();
});
afterEach(() => scene.end());

const nodes = ['A', 'b.example'];

function fileOf(name: string, content: string): string {
  const file = path.join(directory, name);
  writeFileSync(file, content);
  return file;
}

/** Files for the settings of nodes, and the configuration of a server that wants their certificates. */
function tls() {
  const { ca, server, client, stranger } = makeCertificates();
  const files = (name: string, { cert, key }: typeof client) => ({
    cert: fileOf(`${name}.crt`, cert),
    key: fileOf(`${name}.key`, key),
  });
  const authority = fileOf('ca.crt', ca.cert);
  const { cert, key } = files('server', server);
  return {
    configuration: `tls { cert_file: ${cert}, key_file: ${key}, ca_file: ${authority}, verify: true }\n`,
    known: { ca: authority, ...files('client', client) },
    unknown: { ca: authority, ...files('stranger', stranger) },
  };
}

interface Kind {
  readonly configuration: string;
  credentials(node: string): object;
}

function passwords(): Kind {
  return {
    configuration: withUsers(nodes.map(userOf)),
    credentials: (node) => ({ user: node, passwordFile: fileOf(`${node}.password`, `secret of ${node}\n`) }),
  };
}

function keys(): Kind {
  const pairs = new Map(nodes.map((node) => [node, nkeys.createUser()]));
  const users = nodes.map((node) =>
    userOf(node).replace(/ {6}user: .*\n {6}password: .*\n/, `      nkey: ${pairs.get(node)!.getPublicKey()}\n`),
  );
  const seed = (node: string) => Buffer.from(pairs.get(node)!.getSeed()).toString();
  return {
    configuration: withUsers(users),
    credentials: (node) => ({ nkey: fileOf(`${node}.seed`, seed(node)) }),
  };
}

function accounts(): Kind {
  const made = new NatsAccounts();
  return {
    configuration: made.configuration,
    credentials: (node) => ({ creds: fileOf(`${node}.creds`, made.credentials(node, permissionsOf(node))) }),
  };
}

it.each([
  ['a password', passwords],
  ['an nkey', keys],
  ['a credentials file', accounts],
] as const)('a node joins with %s over TLS, with the documented permissions', async (_, kindOf) => {
  expect(documentedUsers).toContain('permissions');
  const { configuration, known } = tls();
  const kind = kindOf();
  const nats = await scene.start(NatsServers.start({ configuration: configuration + kind.configuration }), (servers) =>
    servers.stop(),
  );
  const servers = nats.urls.map((url) => url.replace('nats:', 'tls:'));
  const node = (name: string) =>
    scene.node(name, { servers, fleet: { tls: known, credentials: kind.credentials(name) } });
  const [a, b] = [await node('A'), await node('b.example')];
  await scene.vm('web', b, [a]);
  const answer = await run(a, 'web', 'query-status');
  expect([answer.status, answer.headers['qmp-node']]).toEqual([200, 'b.example']);
  const { cursor } = (await exchange(a, '/v1/vms')).json();
  expect((await run(a, 'web', 'stop')).status).toBe(200);
  const events = await exchange(a, `/v1/events?event=STOP&after=${String(cursor)}&wait=10s`);
  expect(events.json()).toMatchObject({ events: [{ vm: 'web', event: 'STOP' }] });
  expect(nats.first.log()).not.toContain('Violation');
});

it.each(['certificate', 'password'])('a node with a wrong %s serves alone, and its log says why', async (what) => {
  const { configuration, known, unknown } = tls();
  const kind = passwords();
  const nats = await scene.start(NatsServers.start({ configuration: configuration + kind.configuration }), (servers) =>
    servers.stop(),
  );
  const right = what === 'certificate' ? kind.credentials('A') : { user: 'A', passwordFile: fileOf('wrong', 'guess') };
  const gateway = await scene.gateway({
    settings: {
      fleet: {
        ...{ name: 'prod', node: 'A', servers: nats.urls.map((url) => url.replace('nats:', 'tls:')) },
        ...{ tls: what === 'certificate' ? unknown : known, credentials: right },
      },
    },
  });
  await until('it says so', () => Promise.resolve(gateway.stderr().includes('NATS cannot be reached')));
  expect((await exchange(gateway, '/v1/vms')).status).toBe(200);
  expect((await exchange(gateway, '/readyz')).json()).toMatchObject({ status: 'degraded' });
  expect((await exchange(gateway, '/readyz?fleet=1')).status).toBe(503);
});
