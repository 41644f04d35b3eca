import { describedSettings, type SettingDescription, type SettingFlag } from './setting.js';
import { nestedSettings, SettingsFile } from './settings-file.js';

export type FlagValue = string | boolean | readonly string[];

/** Flags as commander gives them, by name in camel case; only those that were set. */
export interface Flags {
  readonly config?: string;
  readonly state?: string;
  readonly [name: string]: FlagValue | undefined;
}

/** A setting that can also be given as a flag, and as a variable of the environment. */
export interface FlagOfSetting extends SettingFlag {
  /** In {@link Flags}, e.g. `tlsCert`. */
  readonly name: string;
  /** E.g. `QMPGW_TLS_CERT`. */
  readonly variable: string;
  /** Keys of the setting, e.g. `['tls', 'cert']`. */
  readonly path: readonly [key: string, member?: string];
}

/** Every flag that is a setting. */
export const settingFlags: readonly FlagOfSetting[] = [...describedSettings(SettingsFile)].flatMap(
  ([key, description]) => [...flagsOf(description, [key]), ...nestedFlags(key)],
);

function nestedFlags(key: string): FlagOfSetting[] {
  const Nested = Object.entries(nestedSettings).find(([name]) => name === key)?.[1];
  if (Nested === undefined) return [];
  return [...describedSettings(Nested)].flatMap(([member, description]) => flagsOf(description, [key, member]));
}

function flagsOf({ flag }: SettingDescription, path: FlagOfSetting['path']): FlagOfSetting[] {
  return flag === undefined ? [] : [{ ...flag, ...flagNames(flag.spelling), path }];
}

/** What the flag `--tls-cert <file>` is called elsewhere. */
export function flagNames(spelling: string): { readonly name: string; readonly variable: string } {
  const dashed = spelling.replace(/^--/, '').replace(/ .*$/, '');
  return {
    name: dashed.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase()),
    variable: `QMPGW_${dashed.replaceAll('-', '_').toUpperCase()}`,
  };
}

/** What the environment says in place of flags; a variable that is empty says nothing. */
export function flagsFromEnvironment(environment: NodeJS.ProcessEnv, faults: string[]): Flags {
  const config = environment['QMPGW_CONFIG'];
  const given: Record<string, FlagValue> = config === undefined || config === '' ? {} : { config };
  for (const { name, variable, spelling, repeatable } of settingFlags) {
    const text = environment[variable];
    if (text === undefined || text === '') continue;
    if (repeatable === true) given[name] = text.split(',').map((entry) => entry.trim());
    else if (spelling.includes(' ')) given[name] = text;
    else if (/^(?:1|true|yes)$/i.test(text)) given[name] = true;
    else if (/^(?:0|false|no)$/i.test(text)) given[name] = false;
    else faults.push(`${variable}: must be true or false`);
  }
  return given;
}
