import { request } from 'node:http';
import { registerVm } from '../gateway-scene.js';
import { exchange, type Exchange } from '../http-exchange.js';
import type { Change, CheckedGateway } from './checked-gateway.js';
import { startWork } from './commands.js';
import { consoleFile, docsFile } from './samples.js';
import type { ScriptedVm } from './scripted-servers.js';

/** What one sample cannot show: the same resource asked in other ways. */
const ways: readonly (readonly [number, string, (vm: string) => Change])[] = [
  [200, 'listVms', () => ({ path: '/v1/vms?label=tenant%3Da' })],
  [200, 'listVms', () => ({ path: '/v1/vms?limit=1&node=nobody' })],
  [200, 'getVm', (vm) => ({ path: `/v1/vms/${vm}?wait=1ms` })],
  [200, 'getAccess', (vm) => ({ path: `/v1/access?vm=${vm}&command=stop` })],
  [200, 'getAccess', (vm) => ({ path: `/v1/access?vm=${vm}&command=guest-exec&agent=true` })],
  [200, 'askAccess', (vm) => ({ body: JSON.stringify({ vm, command: 'qom-set', arguments: { path: '/' } }) })],
  [200, 'getEvents', () => ({ path: '/v1/events?after=oldest&int64=string' })],
  [200, 'getVmEvents', (vm) => ({ path: `/v1/vms/${vm}/events?after=oldest` })],
  [200, 'listAllOperations', () => ({ path: '/v1/operations?state=running&limit=1' })],
  [200, 'fanOut', () => ({ path: '/v1/qmp/query-name?vm=*' })],
  [200, 'fanOut', () => ({ path: '/v1/qmp/stop?vm=*&dryRun=true' })],
  [200, 'runQmpMessage', () => ({ headers: { 'Dry-Run': 'true' } })],
  [200, 'runQmpMessage', () => ({ headers: { 'Idempotency-Key': 'a' } })],
  [200, 'runQmpMessage', () => ({ headers: { 'Idempotency-Key': 'a' } })],
  [200, 'runQmpMessage', () => ({ headers: { Prefer: 'wait=5' }, body: '{"execute":"query-status"}' })],
  [200, 'runAgentMessage', () => ({ headers: { 'Dry-Run': 'true' } })],
  [200, 'putQomProperty', () => ({ headers: { 'Dry-Run': 'true' } })],
  [200, 'getQom', (vm) => ({ path: `/v1/vms/${vm}/qom/machine?depth=2&values=all` })],
  [200, 'getQom', (vm) => ({ path: `/v1/vms/${vm}/qom/machine/type` })],
  [200, 'getDocsFile', () => ({ path: docsFile('docs.css') })],
  [200, 'getDocsFile', () => ({ path: docsFile('favicon-32x32.png') })],
  [200, 'getDocsFile', () => ({ path: docsFile('swagger-ui-bundle.js') })],
  ...['.css', '.svg', '.woff2'].map(
    (ending) => [200, 'getConsoleFile', () => ({ path: consoleFile(ending) })] as const,
  ),
  [200, 'getProblem', () => ({ path: '/problems/internal-error' })],
];

/** Operations whose documented success has another status than 200, or needs more than a request. */
const ofRealVms = new Set(['getScreen', 'getSerial']);
const notByEach = new Set(['deleteNode', 'putVm', 'putQomProperty', 'cancelOperation', ...ofRealVms]);

/** Every resource is asked well, in all its ways. */
export async function successes(checked: CheckedGateway): Promise<void> {
  await checked.each(200, ({ id }) => (notByEach.has(id) ? undefined : {}));
  for (const [status, id, change] of ways) await checked.askFor(status, id, change(checked.vm));
  for (const { id, method, statuses } of checked.check.operations)
    if (method === 'GET' && statuses.includes(200) && !ofRealVms.has(id)) await checked.askHead(id);
  await checked.askFor(303, 'getRoot');
  await checked.each(304, () => ({ headers: { 'If-None-Match': '*' } }));
}

/** Of a VM that is made, replaced and forgotten; of a token; of a cookie. */
export async function changes(checked: CheckedGateway): Promise<void> {
  const body = JSON.stringify({
    endpoint: 'unix:/nowhere/sample',
    agent: 'unix:/nowhere/agent',
    labels: { tenant: 'a' },
  });
  await checked.askFor(201, 'putVm', { body });
  await checked.askFor(200, 'getVm', { path: '/v1/vms/sample' });
  await checked.askFor(200, 'listVms');
  await checked.askFor(200, 'getAgent', { path: '/v1/vms/sample/agent' });
  await checked.askFor(409, 'putVm', { headers: { 'If-None-Match': '*' } });
  await checked.askFor(200, 'putVm');
  await checked.askFor(204, 'deleteVm');
  await checked.askFor(409, 'deleteVm', { path: '/v1/vms/fixed' });
  const made = await checked.askFor(201, 'createToken');
  await checked.askFor(201, 'createToken', {
    body: '{"level":"configure","vms":["a*"],"endpoints":["unix:/run/*"],"commands":{"deny":["quit"]},"expires":"1h"}',
  });
  await checked.askFor(200, 'listTokens');
  checked.ids = { ...checked.ids, token: String(made.json()['id']) };
  await checked.askFor(204, 'revokeToken');
  await checked.askFor(204, 'createSession');
  await checked.askFor(201, 'createSignInCode');
  await checked.askFor(201, 'signIn');
}

/** Work that goes on after its reply, and ends as its caller wants. */
export async function work(checked: CheckedGateway, scripted: ScriptedVm): Promise<void> {
  await checked.askFor(202, 'runQmpMessage', {
    headers: { Prefer: 'respond-async' },
    body: '{"execute":"block-stream","arguments":{"device":"d","job-id":"k"}}',
  });
  await checked.askFor(202, 'runAgentMessage', {
    headers: { Prefer: 'respond-async' },
    body: '{"execute":"guest-exec","arguments":{"path":"/bin/true"}}',
  });
  await checked.askFor(204, 'putQomProperty');
  await checked.askFor(204, 'sendKeys');
  await checked.askFor(200, 'getOperation');
  await checked.askFor(202, 'cancelOperation');
  checked.ids = { ...checked.ids, operation: await startWork(checked) };
  scripted.follow(() => {
    for (const status of ['aborting', 'concluded', 'null'])
      scripted.monitor.emit('JOB_STATUS_CHANGE', { id: 'j', status });
    return { return: {} };
  });
  await checked.askFor(200, 'cancelOperation');
  scripted.follow(undefined);
  await checked.askFor(200, 'getOperation');
  await checked.askFor(405, 'cancelOperation');
  checked.ids = { ...checked.ids, operation: await startWork(checked) };
}

/** The three forms of events; a stream is left after what it tells at once. */
export async function eventForms(checked: CheckedGateway): Promise<void> {
  for (const id of ['getEvents', 'getVmEvents']) {
    const { path } = checked.sample(id);
    for (const accept of ['text/event-stream', 'application/x-ndjson'])
      checked.check.check(id, await beginning(checked, `${path}?after=oldest`, accept));
    await checked.askFor(410, id, { path: `${path}?after=${await foreignCursor(checked)}` });
  }
}

/** Sockets, and what asks for them without the upgrade. */
export async function sockets(checked: CheckedGateway): Promise<void> {
  const subprotocols = {
    ...{ openWebSocket: 'qmp-gateway.v1', openMonitor: undefined, openRfb: 'binary' },
    openSerial: 'qmp-gateway.serial.v1',
  };
  for (const [id, subprotocol] of Object.entries(subprotocols)) {
    const headers = subprotocol === undefined ? {} : { 'Sec-WebSocket-Protocol': subprotocol };
    const answer = await checked.upgrade(id, { headers });
    if (answer.status !== 101) checked.check.faults.add(`${id}: ${answer.status} for 101`);
    await checked.upgrade(id, { headers: { Authorization: null } });
    await checked.upgrade(id, { headers: { Host: 'evil.example' } });
    await checked.upgrade(id, { headers: { 'Content-Length': '2' } });
    await checked.askFor(426, id);
  }
  await checked.upgrade('openMonitor', { path: '/v1/vms/nobody/monitor' });
}

/** What only a real VM has: a display, a serial line, and a schema as large as they come. */
export async function ofRealVm(checked: CheckedGateway, socket: string): Promise<void> {
  const { vm } = checked;
  checked.vm = await registerVm(checked.gateway, `unix:${socket}`, { labels: { tenant: 'b' } });
  for (const id of ['getVm', 'getScreen', 'getVmSchema', 'getVmOpenApi', 'getQomRoot', 'getQom', 'getSerial'])
    await checked.askFor(200, id);
  await checked.askFor(422, 'getScreen', { path: `${checked.sample('getScreen').path}?device=vga&head=7` });
  await checked.askFor(404, 'getAgent');
  checked.vm = vm;
}

/** A cursor of a run that is none of this gateway's. */
async function foreignCursor({ gateway }: CheckedGateway): Promise<string> {
  const { cursor } = (await exchange(gateway, '/v1/vms')).json() as { cursor: string };
  return cursor.replace(/^./, (first) => (first === 'a' ? 'b' : 'a'));
}

/** The head of a stream and its first lines. */
function beginning({ gateway }: CheckedGateway, path: string, accept: string): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${gateway.token ?? ''}`, Accept: accept };
    const sent = request(gateway.url + path, { headers, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        // An event each, and maybe half of another.
        const whole = text.slice(0, text.lastIndexOf('\n') + 1);
        if (!/^(?:data: )?\{/m.test(whole)) return;
        const answer = { status: response.statusCode ?? 0, headers: response.headers, text: whole };
        resolve({ ...answer, json: () => JSON.parse(whole) as Record<string, unknown> });
        sent.destroy();
      });
      response.on('error', () => undefined);
    });
    sent.on('error', reject);
    sent.end();
  });
}
