import { isRecord } from '@qmp-gateway/qapi';
import { readFileSync } from 'node:fs';
import { resolve as absolutePath } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { defaultFile, flagsFromEnvironment, withFlags, type Flags } from './flags.js';
import { impossibleSettings } from './impossible-settings.js';
import { systemFault } from './system-fault.js';
import { shownFault, type SettingFault } from './setting-type.js';
import { settingsType, type Settings } from './settings.js';

/** All faults of the settings, a line for each: `path: what is wrong`. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  /**
   * @param faults a line each
   * @param mayPass whether the settings may be right and only the machine is not as they need it: an address that another
   * process uses, a directory that is not mounted yet
   */
  constructor(
    readonly faults: readonly string[],
    readonly mayPass = false,
  ) {
    super(faults.join('\n'));
  }

  /** The faults of all of them; if one of them is permanent, the whole is. */
  static together(errors: readonly SettingsError[]): SettingsError {
    return new SettingsError(
      errors.flatMap(({ faults }) => faults),
      errors.every(({ mayPass }) => mayPass),
    );
  }
}

/** Settings, and everything that is wrong with them. */
export interface SettingsReading {
  /** With the defaults in place of what is wrong. */
  readonly settings: Settings;
  readonly faults: readonly string[];
  /** Top-level keys of settings that are wrong by themselves: nothing may be concluded from their values. */
  readonly faulty: ReadonlySet<string>;
}

/**
 * Settings from flags, environment (`QMPGW_…`), file and defaults, in this order of precedence.
 * @throws SettingsError with all faults at once.
 */
export function loadSettings(flags: Flags, environment: NodeJS.ProcessEnv = process.env): Settings {
  const { settings, faults } = readSettings(flags, environment);
  if (faults.length > 0) throw new SettingsError(faults);
  return settings;
}

/** As {@link loadSettings}, for callers that look for more faults. @throws SettingsError for a file that can't be read */
export function readSettings(flags: Flags, environment: NodeJS.ProcessEnv): SettingsReading {
  const faults: SettingFault[] = [];
  const given: Flags = { ...flagsFromEnvironment(environment, faults), ...flags };
  const { path, values } = readSettingsFile(given.config);
  const all = withFlags(values, given, faults);
  all['state'] ??= environment['STATE_DIRECTORY'];
  const { read, wrong, faults: own } = settingsType.readMembers(all);
  const defaults = settingsType.readMembers({}).read as Omit<Settings, 'file'>;
  const settings: Settings = { ...defaults, ...read, file: path };
  return {
    settings,
    faults: [...[...faults, ...own].map(shownFault), ...impossibleSettings(settings, wrong)],
    faulty: wrong,
  };
}

/** What the settings file holds, and which it is; null without one. */
interface ReadFile {
  readonly path: string | null;
  readonly values: Record<string, unknown>;
}

function readSettingsFile(given: string | undefined): ReadFile {
  const shown = given ?? defaultFile;
  const path = absolutePath(shown);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (given === undefined && code === 'ENOENT') return { path: null, values: {} };
    throw new SettingsError([`${shown}: cannot read the settings file: ${systemFault(error)}`]);
  }
  let parsed: unknown;
  try {
    parsed = parseYaml(text, { logLevel: 'error' });
  } catch (error) {
    const [what = ''] = (error as Error).message.split('\n', 1);
    throw new SettingsError([`${shown}: not YAML: ${what.replace(/:$/, '')}`]);
  }
  if (text.trim() === '')
    throw new SettingsError([`${shown}: the settings file is empty; one without settings holds {}`]);
  if (parsed === null || parsed === undefined) return { path, values: {} };
  if (isRecord(parsed)) return { path, values: parsed };
  throw new SettingsError([`${shown}: must hold an object of settings`]);
}
