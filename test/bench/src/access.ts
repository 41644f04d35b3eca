import { bundledCatalogs, loadBundledCatalog } from '@qmp-gateway/catalog';
import { readJson, type JsonDocument } from '@qmp-gateway/qapi';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AccessControl } from '../../../apps/gateway/dist/access/access-control.js';
import { AuditLog } from '../../../apps/gateway/dist/access/audit/audit-log.js';
import { checkFrontDoor } from '../../../apps/gateway/dist/access/front-door.js';
import { noOwnMonitor } from '../../../apps/gateway/dist/access/policy/own-monitor.js';
import { Policy } from '../../../apps/gateway/dist/access/policy/policy.js';
import { Principal } from '../../../apps/gateway/dist/access/principal.js';
import { TokenStore } from '../../../apps/gateway/dist/access/tokens/token-store.js';
import { CommandLine } from '../../../apps/gateway/dist/commands/command-audit.js';
import type { CommandTarget } from '../../../apps/gateway/dist/commands/command-target.js';
import type { CommandRequest } from '../../../apps/gateway/dist/commands/command-request.js';
import { VmSchema } from '../../../apps/gateway/dist/schemas/vm-schema.js';
import { loadSettings } from '../../../apps/gateway/dist/settings/load-settings.js';
import { StateDirectory } from '../../../apps/gateway/dist/state/state-directory.js';
import { median } from './statistics.js';
import { printTable } from './table.js';

const rounds = 9;
const batches = 5;
/** Requests between two waits for the disk, which takes no more lines than fit in the audit log's memory. */
const batch = 10_000;

const samples = [
  { command: 'query-status', json: undefined },
  {
    command: 'blockdev-add',
    json: '{"driver":"qcow2","node-name":"disk1","read-only":true,"file":{"driver":"file","filename":"/images/disk1.qcow2"}}',
  },
];

/** What access control adds to a command: each of its steps alone, and all of them with the audit line on the disk. */
export async function benchAccess(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'qmp-gateway-bench-'));
  try {
    const rows: string[][] = [];
    for (const { command, json } of samples) rows.push([command, ...(await measure(directory, command, json))]);
    printTable([['access control of a request', 'front door', 'credentials', 'policy', 'audit', 'in all'], ...rows]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** µs a request: of each step, then of all. */
async function measure(directory: string, command: string, json: string | undefined): Promise<string[]> {
  const audit = new AuditLog(directory, { file: 'audit.log', required: true }, auditObserver);
  const steps = stepsOf(await accessOf(directory, command, json), audit);
  const times = steps.map(() => [] as number[]);
  for (let round = 0; round < rounds; round++)
    for (const [at, step] of steps.entries()) times[at]?.push(await timed(step, audit));
  await audit.close();
  // The first round is where the engine learns.
  return times.map((ofStep) => `${median(ofStep.slice(1)).toFixed(2)} µs`);
}

const auditObserver = {
  auditUnwritable: (error: string) => {
    throw new Error(error);
  },
  auditWritable: () => undefined,
};

/** Access control of a gateway, and one request to it. */
interface AccessScene {
  readonly access: AccessControl;
  readonly policy: Policy;
  readonly token: string;
  readonly target: CommandTarget;
  readonly document: JsonDocument | undefined;
}

async function accessOf(directory: string, command: string, json: string | undefined): Promise<AccessScene> {
  const settings = loadSettings({}, {});
  const tokens = new TokenStore(new StateDirectory(join(directory, command)));
  const access = new AccessControl(settings, tokens, {
    routes: { traits: () => ({ takesCookie: false, takesCode: false }) },
    observer: { keysUnavailable: () => undefined },
  });
  const { token } = tokens.create({ level: 'host', vms: ['web-*'], commands: { deny: ['quit', 'human-*'] } });
  const document = json === undefined ? undefined : readJson(json);
  return { access, policy: new Policy(settings, new Map()), token, target: await targetOf(command), document };
}

/** Front door, credentials, policy and audit, each alone; then all of them. */
function stepsOf({ access, policy, token, target, document }: AccessScene, audit: AuditLog): (() => unknown)[] {
  const command = target.command.name;
  const headers = { host: '127.0.0.1:8080', authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const rawHeaders = Object.entries(headers).flat();
  const path = `/v1/vms/web-1/qmp/${command}`;
  // One connection for all requests, as clients have it.
  const incoming = { url: path, method: 'POST', headers, rawHeaders, socket: {} } as unknown as IncomingMessage;
  const door = { kind: 'tcp', port: 8080, secure: false } as const;
  const listener = { kind: 'tcp', host: '127.0.0.1', port: 8080 } as const;

  const frontDoor = () => checkFrontDoor(incoming, door, access.rules);
  const credentials = () => {
    const identified = access.authenticator.authenticate(incoming, listener, path);
    if (!(identified instanceof Principal)) throw new Error('not let in');
    if (access.limiter?.take(identified.id).refusal !== undefined) throw new Error('too many');
    return identified;
  };
  const principal = credentials();
  const decide = (by: Principal) => {
    const decision = policy.decide(by, target, document?.root);
    if (!decision.allowed) throw new Error(decision.reason);
    return decision;
  };
  const decision = decide(principal);
  const request: CommandRequest = {
    ...{ principal, requestId: '5f2c1-1', entrance: 'rest', vm: 'web-1', command, arguments: { kind: 'none' } },
    arrivedAt: 0,
  };
  const record = (decided: typeof decision) =>
    audit.addLater(
      new CommandLine({
        request,
        target,
        decision: decided,
        document,
        answer: { ok: true, json: '{}', trace: {} },
        durationMs: 0.25,
        work: undefined,
        internalFault: false,
      }),
    );
  const all = () => {
    frontDoor();
    record(decide(credentials()));
  };
  return [frontDoor, credentials, () => decide(principal), () => record(decision), all];
}

/** µs of processor a request, with those of writing what they left for the disk, without the wait for it. */
async function timed(step: () => unknown, audit: AuditLog): Promise<number> {
  const before = process.cpuUsage();
  for (let at = 0; at < batches; at++) {
    for (let request = 0; request < batch; request++) step();
    await audit.flush();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (batches * batch);
}

/** The command as the newest bundled catalog has it, on a VM that nothing else is asked of. */
async function targetOf(name: string): Promise<CommandTarget> {
  const newest = bundledCatalogs()
    .filter(({ kind }) => kind === 'qemu')
    .at(-1);
  if (newest === undefined) throw new Error('no catalog');
  const { model, meta } = await loadBundledCatalog(newest);
  const schema = new VmSchema('sha256:0', { kind: 'qemu', version: meta.version, package: '' }, model, {
    ...{ exact: true, classes: new Map() },
  });
  const command = schema.commands.get(name);
  if (command === undefined) throw new Error(`no command ${name}`);
  const vm = { id: 'web-1', definition: {}, ownMonitor: noOwnMonitor };
  return { vm, server: vm, schema, command } as unknown as CommandTarget;
}
