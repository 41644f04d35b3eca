import { Inject, Injectable } from '@nestjs/common';
import type { TlsOptions } from '@qmp-gateway/qmp';
import { AccessControl } from './access/access-control.js';
import { TokenStore } from './access/tokens/token-store.js';
import { SerialQueue } from './bounds/serial-queue.js';
import { renewCertificates } from './entrance/open-listeners.js';
import { Parts } from './parts.js';
import { SettingsError } from './settings/load-settings.js';
import { settingsChange, takeOverSettings } from './settings/settings-change.js';
import { type Settings } from './settings/settings.js';
import { VmTlsToken } from './vms/vms.module.js';
import { loadVmTls, renewVmTls } from './vms/vm-tls.js';

/** What SIGHUP asks for. */
@Injectable()
export class Reload {
  readonly #reloads = new SerialQueue();

  constructor(@Inject(Parts) private readonly parts: Parts) {}

  /**
   * Opens the audit log anew, then reads settings, tokens and every file they name again. When anything in them is wrong,
   * all stays as it was and the log has each fault.
   * @param read the settings as they are now. @throws SettingsError
   */
  run(read: () => Settings): Promise<void> {
    return this.#reloads.run(() => this.#run(read));
  }

  async #run(read: () => Settings): Promise<void> {
    const log = this.parts.log;
    try {
      await this.parts.audit.reopen();
    } catch (error) {
      log.error({ failure: (error as Error).message }, 'the audit log cannot be opened anew; the old one stays in use');
    }
    const fresh = this.#readAll(read);
    if (fresh === undefined) return;
    try {
      const change = settingsChange(this.parts.settings, fresh);
      takeOverSettings(this.parts.settings, fresh, change);
      await this.#use(change.taken);
      if (change.taken.length > 0)
        this.parts.audit.change(undefined, undefined, 'settings-changed', { settings: change.taken });
      const vms = [...this.parts.registry.all()].length;
      log.info({ changed: change.taken, vms }, 'settings and the files they name read again');
      for (const setting of change.needRestart) log.warn(`${setting}: changed in the settings, but it needs a restart`);
    } catch (error) {
      log.error({ err: error }, 'settings could not be taken over as a whole');
    }
  }

  /** Undefined when something is wrong in them, which the log has then. */
  #readAll(read: () => Settings): Settings | undefined {
    try {
      return allFaults(read, () => this.parts.get(TokenStore).reload());
    } catch (error) {
      const faults = error instanceof SettingsError ? error.faults : [String(error)];
      for (const fault of faults) this.parts.log.error(fault);
      this.parts.log.error({ faults: faults.length }, 'settings cannot be read again; all stays as it was');
      return undefined;
    }
  }

  /** Brings about what settings with these paths say now, and what is in the files that they name. */
  async #use(changed: readonly string[]): Promise<void> {
    const settings = this.parts.settings;
    renewCertificates(this.parts.listeners, settings);
    renewVmTls(this.parts.get<Map<string, TlsOptions>>(VmTlsToken), loadVmTls(settings.vms));
    this.parts.get(AccessControl).reload(changed);
    this.parts.log.level = settings.logLevel;
    if (changed.includes('vms')) await this.parts.registry.provide('settings', settings.vms);
    if (changed.includes('discover')) await this.parts.discovery.watch(settings.discover);
  }
}

/** What `read` gives, when nothing throws. @throws SettingsError with the faults of all of them */
function allFaults<T>(read: () => T, ...others: (() => void)[]): T {
  const faults: string[] = [];
  const attempt = <R>(step: () => R): R | undefined => {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      faults.push(...error.faults);
      return undefined;
    }
  };
  const value = attempt(read);
  others.forEach(attempt);
  if (value === undefined || faults.length > 0) throw new SettingsError(faults);
  return value;
}
