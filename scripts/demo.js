// The demo, started by `npm run demo`: runs two real VMs and a gateway until Ctrl-C.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { begin, directory, fail, startGateway, startVm } from './demo-processes.js';

const state = join(directory, 'state');
const vms = ['demo-1', 'demo-2'];
await begin(async () => {
  for (const vm of vms) startVm(vm);
  const { url } = await startGateway('the gateway', { port: 8080, state, vms, gone: fail });
  await untilReady(url);
  printWelcome(url, await wayIn(url));
  if (process.stdin.isTTY) offerMore(url);
});

/** The console's address with a code that lets in once, within a minute. */
async function wayIn(url) {
  const headers = { Authorization: `Bearer ${token()}` };
  const response = await fetch(`${url}/v1/session/codes`, { method: 'POST', headers });
  if (!response.ok) await fail(`no code for the console: ${response.status}`);
  const { code } = await response.json();
  return `${url}/console#code=${code}`;
}

/** Who comes late, or a second time, gets another one. */
function offerMore(url) {
  createInterface({ input: process.stdin }).on('line', () => {
    wayIn(url).then(
      (link) => process.stdout.write(`${link}\n`),
      (error) => fail(error.message),
    );
  });
}

async function untilReady(url) {
  const headers = { Authorization: `Bearer ${token()}` };
  for (const vm of vms) {
    const response = await fetch(`${url}/v1/vms/${vm}?wait=60s`, { headers });
    const { state } = await response.json();
    if (state !== 'ready') await fail(`${vm} did not become ready: it is ${state}`);
  }
}

function token() {
  return readFileSync(join(state, 'root.token'), 'utf8').trim();
}

function printWelcome(url, link) {
  process.stdout.write(`
The gateway runs at ${url} with the VMs ${vms.join(' and ')}. Paste this line into another terminal:

  export AUTH='Authorization: Bearer ${token()}' GW=${url}

Then try:

  # the VMs and their state
  curl -sS -H "$AUTH" $GW/v1/vms
  # a query: GET, arguments as parameters
  curl -sS -H "$AUTH" $GW/v1/vms/demo-1/qmp/query-status
  curl -sS -H "$AUTH" "$GW/v1/vms/demo-1/qmp/qom-list?path=/machine"
  # a command: POST, arguments as JSON
  curl -sS -H "$AUTH" --json '{"driver":"virtio-rng-pci","id":"rng0","bus":"rp0"}' $GW/v1/vms/demo-1/qmp/device_add
  curl -sS -H "$AUTH" -X POST $GW/v1/vms/demo-1/qmp/stop
  curl -sS -H "$AUTH" -X POST $GW/v1/vms/demo-1/qmp/cont
  # its screen, a keyboard, and an object of its device tree
  curl -sS -H "$AUTH" $GW/v1/vms/demo-1/screen.png -o ${join(directory, 'demo-1.png')}
  curl -sS -H "$AUTH" --json '{"text":"hello"}' $GW/v1/vms/demo-1/keys
  curl -sS -H "$AUTH" $GW/v1/vms/demo-1/qom/machine/peripheral/rp0
  # past events, then new events until Ctrl-C
  curl -sS -H "$AUTH" "$GW/v1/events?event=STOP,RESUME"
  curl -sSN -H "$AUTH" -H 'Accept: text/event-stream' $GW/v1/events
  # all commands of demo-1, as OpenAPI
  curl -sS -H "$AUTH" $GW/v1/vms/demo-1/openapi.json

With less typing, in the directory of this clone:

  export QMPGW_URL=$GW QMPGW_TOKEN=\${AUTH##* }
  npx qmpctl vms
  npx qmpctl exec 'demo-*' query-status
  npx qmpctl help

The console, by a link that lets in once within a minute (Enter prints another one):

  ${link}

All commands in a browser: ${url}/docs (token: ${token()})
Ctrl-C stops the gateway and the VMs.
`);
}
