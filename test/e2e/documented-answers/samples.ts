import { readdirSync } from 'node:fs';
import { DocsFiles } from '../../../apps/gateway/src/schemas/docs-files.js';

/** A request that is answered well, for a VM whose guest agent is there. */
export interface Sample {
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Ids that the samples need beside that of a VM. */
export interface SampleIds {
  readonly operation: string;
  readonly token: string;
}

/** Of the page that the gateway serves. */
export const docsFile = (name: string): string => `/docs/files/${hash}/${name}`;
const { hash } = new DocsFiles();

/** Of the console, as it was built. */
const consoleFolder = new URL('../../../apps/gateway/assets/console/files/', import.meta.url);
export const consoleFile = (ending: string): string =>
  `/console/files/${readdirSync(consoleFolder).find((name) => name.endsWith(ending)) ?? 'not-built'}`;

const binary = { 'Content-Type': 'application/octet-stream' };

/** Of what is there without any VM, and mostly without credentials. */
const ofPages: Record<string, Sample> = {
  getRoot: { path: '/', headers: { Accept: 'text/html' } },
  getAsyncApi: { path: '/asyncapi.json' },
  getConsole: { path: '/console' },
  getConsoleFile: { path: consoleFile('.js') },
  getConsoleView: { path: '/console/vms' },
  getDocs: { path: '/docs' },
  listCatalogs: { path: '/docs/catalogs.json' },
  getCatalogOpenApi: { path: '/docs/catalogs/qemu-7.2.json' },
  getDocsFile: { path: docsFile('docs.js') },
  getLiveness: { path: '/livez' },
  getMetrics: { path: '/metrics' },
  getOpenApi: { path: '/openapi.json' },
  getProblem: { path: '/problems/vm-not-found' },
  getReadiness: { path: '/readyz' },
};

/** By `operationId`: one request for each resource of the document. */
export function samples(vm: string, { operation, token }: SampleIds): Record<string, Sample> {
  const below = `/v1/vms/${vm}`;
  return {
    ...ofPages,
    getApiRoot: { path: '/v1' },
    getAccess: { path: '/v1/access' },
    askAccess: { path: '/v1/access', body: JSON.stringify({ vm, command: 'stop' }) },
    getAuditTail: { path: '/v1/audit' },
    getEvents: { path: '/v1/events' },
    listNodes: { path: '/v1/nodes' },
    deleteNode: { path: '/v1/nodes/nobody' },
    listAllOperations: { path: '/v1/operations' },
    fanOut: { path: `/v1/qmp/query-status?vm=${vm}`, body: '{}' },
    createSession: { path: '/v1/session' },
    createSignInCode: { path: '/v1/session/codes' },
    signIn: { path: '/v1/session/token' },
    listTokens: { path: '/v1/tokens' },
    createToken: { path: '/v1/tokens', body: '{"level":"read","vms":["*"]}' },
    revokeToken: { path: `/v1/tokens/${token}` },
    listVms: { path: '/v1/vms' },
    getVm: { path: below },
    putVm: { path: '/v1/vms/sample', body: '{"endpoint":"unix:/nowhere/sample"}' },
    deleteVm: { path: '/v1/vms/sample' },
    getAgent: { path: `${below}/agent` },
    runAgentMessage: { path: `${below}/agent`, body: '{"execute":"guest-ping"}' },
    execInGuest: { path: `${below}/agent/exec`, body: '{"path":"/bin/true"}' },
    readGuestFile: { path: `${below}/agent/files?path=/tmp/a` },
    writeGuestFile: { path: `${below}/agent/files?path=/tmp/a&verify=false`, body: 'hi', headers: binary },
    getAgentOpenApi: { path: `${below}/agent/openapi.json` },
    listDisplays: { path: `${below}/displays` },
    openDisplay: { path: `${below}/displays/default` },
    openRfb: { path: `${below}/displays/default/rfb` },
    getVmEvents: { path: `${below}/events` },
    listFds: { path: `${below}/fds` },
    passFd: { path: `${below}/fds`, body: '{"path":"/dev/null","name":"a"}' },
    sendKeys: { path: `${below}/keys`, body: '{"text":"a"}' },
    openMonitor: { path: `${below}/monitor` },
    getVmOpenApi: { path: `${below}/openapi.json` },
    listOperations: { path: `${below}/operations` },
    getOperation: { path: `${below}/operations/${operation}` },
    cancelOperation: { path: `${below}/operations/${operation}` },
    runQmpMessage: { path: `${below}/qmp`, body: '{"execute":"stop"}' },
    getQomRoot: { path: `${below}/qom` },
    getQom: { path: `${below}/qom/machine` },
    putQomProperty: { path: `${below}/qom/machine/x`, body: '1' },
    getVmSchema: { path: `${below}/schema` },
    getScreen: { path: `${below}/screen.png` },
    listSerials: { path: `${below}/serials` },
    getSerial: { path: `${below}/serials/line` },
    openSerial: { path: `${below}/serials/line/stream` },
    openWebSocket: { path: '/v1/ws' },
  };
}

/** The same request, asking with one query parameter more. */
export function withQuery(path: string, parameter: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}${parameter}`;
}
