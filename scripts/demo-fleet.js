// The demo of a fleet, started by `npm run demo:fleet`: five real VMs, three gateways and a NATS server until Ctrl-C.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { begin, directory, fail, start, startGateway, startVm } from './demo-processes.js';

const patienceMs = 180_000;
/** A third of the defaults, so that nobody waits long for the VMs of a node that was killed. */
const times = { heartbeat: '2s', unreachableAfter: '5s' };
const nodes = [
  { name: 'a', port: 8080, vms: ['web-1', 'web-2'] },
  { name: 'b', port: 8081, vms: ['db-1', 'db-2'] },
  { name: 'c', port: 8082, vms: ['cache-1'] },
];
const vms = nodes.flatMap((node) => node.vms);

await begin(async () => {
  const server = await startNats();
  for (const vm of vms) startVm(vm);
  // One after the other, so that no two take the same port.
  for (const node of nodes) Object.assign(node, await startNode(node, server));
  for (const node of nodes) await untilAllAreReady(node);
  printWelcome(...nodes);
});

/** @returns its URL: it takes a free port */
async function startNats() {
  const config = join(directory, 'nats.conf');
  const store = JSON.stringify(join(directory, 'jetstream'));
  const ports = JSON.stringify(directory);
  const log = join(directory, 'nats.log');
  writeFileSync(
    config,
    `listen: "127.0.0.1:-1"\nports_file_dir: ${ports}\nlog_file: ${JSON.stringify(log)}\njetstream { store_dir: ${store} }\n`,
  );
  const { pid } = start('NATS', 'nats-server', ['-c', config], say);
  const file = join(directory, `nats-server_${pid}.ports`);
  for (const until = Date.now() + patienceMs; Date.now() < until; await pause(50)) {
    const url = readNats(file);
    if (url !== undefined) return url;
  }
  return fail(`NATS does not listen; see ${log}`);
}

function readNats(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).nats[0];
  } catch {
    return undefined;
  }
}

function startNode({ name, port, vms }, server) {
  const settings = join(directory, `${name}.yaml`);
  writeFileSync(settings, JSON.stringify({ fleet: { name: 'demo', node: name, servers: [server], ...times } }));
  const state = join(directory, `state-${name}`);
  return startGateway(`node ${name}`, { port, state, vms, args: ['--config', settings], gone: say });
}

/** Somebody is told to kill one of them. */
function say(message) {
  process.stdout.write(`demo: ${message}\n`);
}

/** Every node reaches all VMs, and knows the token of the first one. */
async function untilAllAreReady({ name, url }) {
  const headers = { Authorization: `Bearer ${token()}` };
  for (const until = Date.now() + patienceMs; Date.now() < until; await pause(100)) {
    const answers = await Promise.all(vms.map((vm) => fetch(`${url}/v1/vms/${vm}/qmp/query-status`, { headers })));
    if (answers.every(({ ok }) => ok)) return;
  }
  await fail(`not all VMs can be reached by node ${name}`);
}

function token() {
  return readFileSync(join(directory, 'state-a', 'root.token'), 'utf8').trim();
}

function printWelcome(a, b, c) {
  const where = nodes.map(({ name, vms }) => `${name} has ${vms.join(' and ')}`);
  process.stdout.write(`
Three gateways are one fleet, "demo": ${where.join(', ')}. Paste these lines into another terminal:

  export AUTH='Authorization: Bearer ${token()}'
  export A=${a.url} B=${b.url} C=${c.url}

Then try:

  # all VMs, at whichever node you ask; "node" says where each of them is
  curl -sS -H "$AUTH" $A/v1/vms
  curl -sS -H "$AUTH" "$C/v1/vms?node=a"
  # the nodes
  curl -sS -H "$AUTH" $A/v1/nodes
  # at a, a command for a VM of c: QMP-Node in the answer says who answered
  curl -sSi -H "$AUTH" $A/v1/vms/cache-1/qmp/query-status
  curl -sS -H "$AUTH" -X POST $A/v1/vms/cache-1/qmp/stop
  # what that caused, read at b
  curl -sS -H "$AUTH" "$B/v1/events?event=STOP"
  curl -sS -H "$AUTH" -X POST $A/v1/vms/cache-1/qmp/cont
  # one command for all VMs of the fleet
  curl -sS -H "$AUTH" -X POST "$A/v1/qmp/query-version?vm=*"
  # a picture of the screen, whose file is at c
  curl -sS -H "$AUTH" $A/v1/vms/cache-1/screen.png -o ${join(directory, 'cache-1.png')}
  # new events of all VMs until Ctrl-C
  curl -sSN -H "$AUTH" -H 'Accept: text/event-stream' $A/v1/events

Then kill node b:

  kill -9 ${b.pid}

  # 503 vm-unavailable, and that nothing was sent; in the first moment, before NATS has noticed, 502 outcome-unknown
  curl -sS -H "$AUTH" -X POST $A/v1/vms/db-1/qmp/stop
  # after ${times.unreachableAfter} (15s by default): its VMs are listed as unreachable, the others go on
  curl -sS -H "$AUTH" "$A/v1/vms?node=b"
  curl -sS -H "$AUTH" $A/v1/nodes
  curl -sS -H "$AUTH" "$C/v1/vms/web-1/qmp/query-status"
  # b is gone for good: forget it
  curl -sS -H "$AUTH" -X DELETE $A/v1/nodes/b

In a browser: ${a.url}/console and ${a.url}/docs (token: ${token()})
Ctrl-C stops the gateways, the VMs and NATS.
`);
}
