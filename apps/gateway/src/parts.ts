import { Inject, Injectable, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { Logger } from 'pino';
import { AuditLog } from './access/audit/audit-log.js';
import type { Listener } from './entrance/listener.js';
import { ListenersToken } from './entrance/open-listeners.js';
import { LoggerToken } from './settings/logger.js';
import { SettingsToken, type Settings } from './settings/settings.js';
import { VmDiscovery } from './vms/discovery/vm-discovery.js';
import { VmRegistry } from './vms/vm-registry.js';

/**
 * The parts of the gateway for what goes over all rooms. They are looked up when they are needed: while Nest makes this,
 * the others are not there yet.
 */
@Injectable()
export class Parts {
  constructor(@Inject(ModuleRef) private readonly modules: ModuleRef) {}

  get<T>(token: Type<T> | symbol): T {
    return this.modules.get<T>(token, { strict: false });
  }

  get settings(): Settings {
    return this.get<Settings>(SettingsToken);
  }

  get log(): Logger {
    return this.get<Logger>(LoggerToken);
  }

  get audit(): AuditLog {
    return this.get(AuditLog);
  }

  get listeners(): readonly Listener[] {
    return this.get<readonly Listener[]>(ListenersToken);
  }

  get registry(): VmRegistry {
    return this.get(VmRegistry);
  }

  get discovery(): VmDiscovery {
    return this.get(VmDiscovery);
  }
}
