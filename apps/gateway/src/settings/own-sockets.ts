import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Settings } from './settings.js';

/** The sockets that the gateway itself listens on. They are never VMs, whatever path leads to them. */
export class OwnSockets {
  constructor(private readonly settings: Pick<Settings, 'listen' | 'monitorSockets'>) {}

  /** True for one of them, and for any name in the directory of the shared monitors. */
  has(path: string): boolean {
    const { listen, monitorSockets } = this.settings;
    const real = realPath(path);
    if (monitorSockets !== undefined && dirname(real) === realPath(monitorSockets.dir)) return true;
    return listen.some((address) => address.kind === 'unix' && realPath(address.path) === real);
  }
}

/** The path with its links resolved, as far as it exists. */
export function realPath(path: string): string {
  const full = resolve(path);
  if (existsSync(full)) return realpathSync(full);
  const above = dirname(full);
  return above === full ? full : join(realPath(above), basename(full));
}
