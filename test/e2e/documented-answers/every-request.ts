import type { Scene } from '@qmp-gateway/test-kit';
import { agentBecomes } from '../agent-scene.js';
import type { GatewayProcess } from '../gateway-process.js';
import { makeToken, registerVm } from '../gateway-scene.js';
import { CheckedGateway } from './checked-gateway.js';
import { withQuery } from './samples.js';
import { scriptedVm } from './scripted-servers.js';
import { writtenAtShutdown, type HeldVm } from './written-at-shutdown.js';

/** Not there is the page of the console only where it was not built. */
const ofBuiltConsole = ['getConsole', 'getConsoleView'];

const noJson = { headers: { 'Content-Type': 'text/plain' }, body: 'hi' };

/** Problems that are the same whatever is asked for: each documented one of each operation is provoked. */
export async function problemsOfEveryRequest(checked: CheckedGateway): Promise<void> {
  await checked.each(401, () => ({ headers: { Authorization: null } }));
  await checked.each(403, () => ({ headers: { Host: 'evil.example', Origin: 'https://evil.example' } }));
  await checked.each(403, ({ statuses }) =>
    statuses.includes(401) ? { headers: { Host: 'evil.example' } } : undefined,
  );
  await checked.each(417, () => ({ headers: { Expect: 'nonsense' } }));
  await checked.each(431, () => ({ headers: { 'X-Long': 'x'.repeat(20_000) } }));
  await checked.each(400, ({ id, statuses }) => {
    const { path: asked } = checked.sample(id);
    // Who needs no credentials may ask for a page with any query.
    if (!statuses.includes(401)) return undefined;
    return id.endsWith('Message') ? { body: '{' } : { path: withQuery(asked, 'nonsense=1') };
  });
  await checked.each(413, ({ id, method }) =>
    method === 'GET'
      ? undefined
      : {
          body: `{"text":"${'x'.repeat(id === 'writeGuestFile' ? 70_000 : 20_000)}"}`,
        },
  );
  await checked.each(415, () => noJson);
}

/** Nobody could manage a gateway whose last token of level `host` was revoked. @param gateway one that has that token only */
export async function lastCredentials(gateway: GatewayProcess, checked: CheckedGateway): Promise<void> {
  const lonely = new CheckedGateway(gateway, checked.check);
  const { tokens } = (await lonely.ask('listTokens')).json() as { tokens: { id: string }[] };
  for (const { id } of tokens) await lonely.askFor(409, 'revokeToken', { path: `/v1/tokens/${id}` });
}

/** The VM, command, token, file or operation of the path, or of the query, is nobody's. */
export async function notFound(checked: CheckedGateway): Promise<void> {
  const { vm } = checked;
  const ofTenant = makeToken(checked.gateway, { level: 'host', vms: ['label:tenant=a'] });
  const registration = JSON.stringify({ endpoint: 'unix:/nowhere/a', labels: { tenant: 'a' } });
  await checked.each(404, ({ id }) => {
    const { path, body } = checked.sample(id);
    if (id === 'getRoot') return { headers: { Accept: '*/*' } };
    if (ofBuiltConsole.includes(id)) return undefined;
    if (id === 'getAccess') return { path: `${path}?vm=nobody&command=stop` };
    if (id === 'askAccess') return { body: JSON.stringify({ vm: 'nobody', command: 'stop' }) };
    if (id === 'fanOut') return { path: '/v1/qmp/query-status?vm=nobody' };
    // Whether there is a VM that the caller does not see must not be told.
    if (id === 'putVm')
      return { headers: { Authorization: `Bearer ${ofTenant}` }, path: `/v1/vms/${vm}`, body: registration };
    return {
      path: path.includes(`/${vm}`) ? path.replace(`/${vm}`, '/nobody') : path.replace(/[^/]+$/, 'nothing'),
      ...(body === undefined ? {} : { body }),
    };
  });
}

/** Paths and queries that are no text, or say what nobody asked for: whatever the answer is, it is a documented one. */
export async function oddTexts(checked: CheckedGateway): Promise<void> {
  for (const { id, path } of checked.check.operations) {
    const { path: asked } = checked.sample(id);
    const odd = ['nonsense=1', '%EF%BF%BF=1', 'a=%zz'].map((query) => withQuery(asked, query));
    const variable = /[{](\w+)[}]/.exec(path)?.index;
    if (variable !== undefined)
      for (const text of ['%zz', '%EF%BF%BF', '%00'])
        odd.push(asked.slice(0, variable) + asked.slice(variable).replace(/^[^/?]+/, text));
    for (const each of odd) await checked.ask(id, { path: each });
  }
}

/** A principal that asks too much. */
export async function tooMany(gateway: GatewayProcess, checked: CheckedGateway): Promise<void> {
  const limited = new CheckedGateway(gateway, checked.check);
  limited.vm = 'limited';
  for (const { id, statuses } of checked.check.operations) {
    if (!statuses.includes(429)) continue;
    for (;;) {
      const answer = await limited.ask(id);
      if (answer.status === 429) break;
    }
  }
}

/** Commands of one VM that are at the VM at once; later ones wait in its queue, and are refused when the gateway stops. */
const mostAtVm = 8;

/** Requests that arrive on open connections while the gateway stops. */
export async function whileStopping(scene: Scene, gateway: GatewayProcess, checked: CheckedGateway): Promise<void> {
  const operations = checked.check.operations.filter(({ statuses }) => statuses.includes(503));
  const stopping = new CheckedGateway(gateway, checked.check);
  const machines: HeldVm[] = [];
  for (let at = 0; at < operations.length; at += mostAtVm) {
    const scripted = await scriptedVm(scene);
    stopping.vm = await registerVm(gateway, scripted.endpoint, { agent: scripted.agentEndpoint });
    machines.push({ id: stopping.vm, scripted });
  }
  const answers = await writtenAtShutdown(
    gateway,
    machines,
    operations.map(({ id, method }) => ({ method, ...stopping.sample(id) })),
  );
  for (const [at, answer] of answers.entries()) {
    const { id } = operations[at] ?? { id: '' };
    checked.check.check(id, answer);
    if (answer.status !== 503) checked.check.faults.add(`${id}: ${answer.status} while stopping: ${answer.text}`);
  }
}

/** A gateway that passes hardly any command on. */
export async function tooLarge(scene: Scene, gateway: GatewayProcess, checked: CheckedGateway): Promise<void> {
  const narrow = new CheckedGateway(gateway, checked.check);
  const scripted = await scriptedVm(scene);
  narrow.vm = await registerVm(gateway, scripted.endpoint, { agent: scripted.agentEndpoint });
  await agentBecomes(gateway, narrow.vm, 'ready');
  for (const { id, method, statuses } of checked.check.operations)
    if (method === 'GET' && statuses.includes(413)) await narrow.askFor(413, id);
}
