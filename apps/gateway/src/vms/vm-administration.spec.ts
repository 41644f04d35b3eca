import type { AuthenticatedContext } from '../access/authenticated-request.js';
import type { VmRegistration } from './vm-shapes.js';
import { makeTempDir, removeTempDir } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditLog } from '../access/audit/audit-log.js';
import { Principal, type Grant } from '../access/principal.js';
import { OwnSockets } from '../settings/own-sockets.js';
import { StateDirectory } from '../state/state-directory.js';
import { VmAdministration } from './vm-administration.js';
import { VmNews } from './vm-news.js';
import { VmRegistry } from './vm-registry.js';
import type { VmSurroundings } from './vm.js';

let directory: string;
let audit: AuditLog;
let registry: VmRegistry;
let administration: VmAdministration;
const monitorSockets = { dir: '/tenant/monitors', mode: 0o600, level: 'operate' } as const;

beforeEach(() => {
  directory = makeTempDir();
  const none = () => undefined;
  const surroundings = {
    observer: new VmNews(),
    limits: { queue: 10 },
    monitorOptions: {},
  } as unknown as VmSurroundings;
  registry = new VmRegistry(new StateDirectory(directory), surroundings, { warn: none });
  audit = new AuditLog(
    directory,
    { file: 'audit.log', required: false },
    { auditUnwritable: none, auditWritable: none },
  );
  administration = new VmAdministration(registry, audit, new OwnSockets({ listen: [], monitorSockets }));
});
afterEach(async () => {
  await registry.stop();
  await audit.close();
  removeTempDir(directory);
});

const as = (grant: Grant) => new Principal('p', 'p', grant);
const host = as({ level: 'host', vms: ['*'] });
const tenant = as({
  level: 'configure',
  vms: ['*'],
  endpoints: ['unix:/tenant/*'],
  operatorEndpoints: ['unix:/tenant/*'],
});
const own = { endpoint: 'unix:/tenant/a' };
const foreign = { endpoint: 'unix:/other/a' };
const callerOf = (principal: Principal) => ({ principal, requestId: 'r' }) as AuthenticatedContext;
const put = (who: Principal, definition: VmRegistration, createOnly = false) =>
  administration.put(callerOf(who), 'a', definition, createOnly);

/** The codes of what was refused, null for what was done. */
async function outcomes(...changes: Promise<unknown>[]): Promise<unknown[]> {
  const settled = await Promise.allSettled(changes);
  return settled.map((one) => (one.status === 'rejected' ? (one.reason as { code?: unknown }).code : null));
}

describe('two changes of one VM at a time', () => {
  it('creates it once, where both ask for a new one', async () => {
    expect(await outcomes(put(host, own, true), put(host, foreign, true))).toEqual([null, 'vm-exists']);
    expect(registry.get('a')?.definition.endpoint).toBe(own.endpoint);
  });

  it('asks of the second what the first has made of it', async () => {
    await put(host, own);
    expect(await outcomes(put(host, foreign), put(tenant, own), administration.delete(callerOf(tenant), 'a'))).toEqual([
      null,
      'forbidden',
      'forbidden',
    ]);
    expect(registry.get('a')?.definition.endpoint).toBe(foreign.endpoint);
  });

  it('finds no VM any more that the first has deleted', async () => {
    await put(host, own);
    const twice = [1, 2].map(() => administration.delete(callerOf(host), 'a'));
    expect(await outcomes(...twice)).toEqual([null, 'vm-not-found']);
  });
});

describe('a refusal', () => {
  it('names what was asked for', async () => {
    await put(host, foreign);
    const reader = as({ level: 'read', vms: ['*'] });
    await expect(put(reader, own)).rejects.toThrow('Registering a VM needs level host');
    await expect(put(tenant, own)).rejects.toThrow('Replacing a VM needs level host');
    await expect(administration.delete(callerOf(reader), 'a')).rejects.toThrow('Forgetting a VM needs level host');
  });

  it('of plain tcp says nothing that a request could not do', async () => {
    const plain = { endpoint: 'tcp:192.0.2.1:1' };
    await expect(put(host, plain)).rejects.toThrow('use tls:, or insecure: true, which only the settings can give');
  });
});
