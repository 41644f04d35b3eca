// The demo: two real VMs and the gateway before them, until Ctrl-C. Started by `npm run demo`.
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const preferredPort = 8080;
const directory = mkdtempSync(join(tmpdir(), 'qmp-gateway-demo-'));
const children = [];
let stopping = false;

process.on('SIGINT', () => stop(0)).on('SIGTERM', () => stop(0));

const vms = ['demo-1', 'demo-2'];
for (const vm of vms) startVm(vm);
const base = await startGateway();
await untilReady(base);
printWelcome(base);

function startVm(vm) {
  const accelerator = canUseKvm() ? ['-accel', 'kvm', '-accel', 'tcg'] : ['-accel', 'tcg'];
  start(vm, 'qemu-system-x86_64', [
    ...[
      '-name',
      vm,
      '-nodefaults',
      '-no-user-config',
      '-display',
      'none',
      '-machine',
      'q35',
      ...accelerator,
      '-m',
      '64',
    ],
    ...['-device', 'VGA', '-device', 'pcie-root-port,id=rp0', '-object', 'rng-builtin,id=rng'],
    ...['-chardev', `socket,id=qmp0,path=${join(directory, `${vm}.qmp`)},server=on,wait=off`],
    ...['-mon', 'chardev=qmp0,mode=control'],
  ]);
}

function canUseKvm() {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

async function startGateway() {
  const port = (await isFree(preferredPort)) ? preferredPort : 0;
  const bin = fileURLToPath(new URL('../apps/gateway/bin/qmp-gateway.js', import.meta.url));
  const gateway = start('gateway', process.execPath, [
    ...[bin, 'serve', '--listen', `127.0.0.1:${port}`, '--state', join(directory, 'state'), '--log-level', 'warn'],
    ...vms.flatMap((vm) => ['--vm', `${vm}=unix:${join(directory, `${vm}.qmp`)}`]),
  ]);
  for await (const line of createInterface({ input: gateway.stdout })) {
    const url = /^qmp-gateway listening on (http:\S+)/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('the gateway ended before it listened');
}

function start(name, program, args) {
  // A process group of its own, so that Ctrl-C reaches only this script, which then ends all in order.
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  child.on('error', (error) => fail(`${name}: ${error.message}`));
  child.on('exit', (code, signal) => {
    child.ended = true;
    if (!stopping && name === 'gateway') fail(`the gateway ended (${signal ?? code})`);
  });
  children.push(child);
  return child;
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer()
      .once('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

async function untilReady(url) {
  const headers = { Authorization: `Bearer ${token()}` };
  for (const vm of vms) {
    const response = await fetch(`${url}/v1/vms/${vm}?wait=60s`, { headers });
    const { state } = await response.json();
    if (state !== 'ready') fail(`${vm} did not become ready: it is ${state}`);
  }
}

function token() {
  return readFileSync(join(directory, 'state', 'root.token'), 'utf8').trim();
}

function printWelcome(url) {
  process.stdout.write(`
The gateway runs at ${url} with the VMs ${vms.join(' and ')}. Paste into another terminal, this line first:

  export AUTH='Authorization: Bearer ${token()}' GW=${url}

  # the VMs, and how they are
  curl -sS -H "$AUTH" $GW/v1/vms
  # a query: GET, arguments as parameters
  curl -sS -H "$AUTH" $GW/v1/vms/demo-1/qmp/query-status
  curl -sS -H "$AUTH" "$GW/v1/vms/demo-1/qmp/qom-list?path=/machine"
  # a command: POST, arguments as JSON
  curl -sS -H "$AUTH" --json '{"driver":"virtio-rng-pci","id":"rng0","bus":"rp0"}' $GW/v1/vms/demo-1/qmp/device_add
  curl -sS -H "$AUTH" -X POST $GW/v1/vms/demo-1/qmp/stop
  curl -sS -H "$AUTH" -X POST $GW/v1/vms/demo-1/qmp/cont
  # what it shows, keys, and an object of its device tree
  curl -sS -H "$AUTH" $GW/v1/vms/demo-1/screen.png -o ${join(directory, 'demo-1.png')}
  curl -sS -H "$AUTH" --json '{"text":"hello"}' $GW/v1/vms/demo-1/keys
  curl -sS -H "$AUTH" $GW/v1/vms/demo-1/qom/machine/peripheral/rp0
  # what happened so far, and what happens from now on
  curl -sS -H "$AUTH" "$GW/v1/events?event=STOP,RESUME"
  curl -sSN -H "$AUTH" -H 'Accept: text/event-stream' $GW/v1/events
  # everything demo-1 can do, as OpenAPI
  curl -sS -H "$AUTH" $GW/v1/vms/demo-1/openapi.json

The same in a browser: ${url}/docs (token: ${token()})
Ctrl-C stops everything.
`);
}

function fail(message) {
  process.stderr.write(`demo: ${message}\n`);
  stop(1);
}

async function stop(code) {
  if (stopping) return;
  stopping = true;
  for (const child of children.reverse()) {
    if (child.ended || child.pid === undefined) continue;
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
  }
  if (existsSync(directory)) rmSync(directory, { recursive: true });
  process.exit(code);
}
