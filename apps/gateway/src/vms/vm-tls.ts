import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { TlsOptions } from '@qmp-gateway/qmp';
import { SettingsError } from '../settings/load-settings.js';
import { systemFault } from '../settings/system-fault.js';
import type { VmDefinition, VmTls } from '../settings/vm-definition.js';

const files = ['ca', 'cert', 'key'] as const;

/** Puts what was read anew in place of what VMs dial with: the next handshake of each uses it. */
export function renewVmTls(inUse: Map<string, TlsOptions>, fresh: ReadonlyMap<string, TlsOptions>): void {
  for (const id of inUse.keys()) if (!fresh.has(id)) inUse.delete(id);
  for (const [id, options] of fresh) {
    const known = inUse.get(id);
    // VMs hold the object; one of other files belongs to a definition that starts another session.
    if (known !== undefined && isDeepStrictEqual(Object.keys(known), Object.keys(options)))
      Object.assign(known, options);
    else inUse.set(id, options);
  }
}

/**
 * What VMs are shown and asked for over TLS, by id: the files of `vms.<id>.tls` as they are now.
 * @throws SettingsError naming every file that can't be read and every VM whose files do not fit
 */
export function loadVmTls(vms: ReadonlyMap<string, VmDefinition>): Map<string, TlsOptions> {
  const faults: string[] = [];
  const loaded = new Map<string, TlsOptions>();
  for (const [id, { tls }] of vms) if (tls !== undefined) loaded.set(id, read(tls, `vms.${id}.tls`, faults));
  if (faults.length > 0) throw new SettingsError(faults);
  return loaded;
}

function read(tls: VmTls, path: string, faults: string[]): TlsOptions {
  const known = faults.length;
  const pem: Partial<Record<(typeof files)[number], Buffer>> = {};
  for (const name of files) {
    const file = tls[name];
    if (file === undefined) continue;
    try {
      pem[name] = readFileSync(file);
    } catch (error) {
      faults.push(`${path}.${name}: cannot read ${file}: ${systemFault(error)}`);
    }
  }
  try {
    if (faults.length > known) return {};
    // What is none or does not fit together would otherwise be found at each dial. A secure context skips a broken `ca`.
    for (const certificate of [pem.ca, pem.cert]) if (certificate !== undefined) new X509Certificate(certificate);
    createSecureContext(pem);
  } catch (error) {
    faults.push(`${path}: the files cannot be used: ${(error as Error).message}`);
  }
  return { ...pem, ...(tls.serverName === undefined ? {} : { serverName: tls.serverName }) };
}
