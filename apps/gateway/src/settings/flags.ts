import { isRecord } from '@qmp-gateway/qapi';
import { Option } from 'commander';
import { groupIn } from './object-type.js';
import { describedSettings, type SettingDescription, type SettingFlag } from './setting.js';
import { type SettingFault } from './setting-type.js';
import { SettingsFile } from './settings.js';

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
  readonly default: string | undefined;
}

const configVariable = 'QMPGW_CONFIG';
/** The settings file that is read, where there is one, when no other is named. */
export const defaultFile = './qmp-gateway.yaml';

/** Every flag that is a setting. */
export const settingFlags: readonly FlagOfSetting[] = [...describedSettings(SettingsFile)].flatMap(
  ([key, description]) => {
    const Group = groupIn(description);
    const members = Group === undefined ? [] : [...describedSettings(Group)];
    return [...flagsOf(description, [key]), ...members.flatMap(([member, own]) => flagsOf(own, [key, member]))];
  },
);

function flagsOf(description: SettingDescription, path: FlagOfSetting['path']): FlagOfSetting[] {
  const { flag } = description;
  if (flag === undefined) return [];
  return [{ ...flag, ...flagNames(flag), path, default: shownDefault(description) }];
}

/** As people read it; undefined when the setting has none. */
function shownDefault({ default: value, defaultText }: SettingDescription): string | undefined {
  if (defaultText !== undefined) return defaultText.replaceAll('`', '');
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.join(', ');
  return typeof value === 'string' ? value : undefined;
}

/** What the flag `--tls-cert <file>` is called elsewhere. */
export function flagNames({ spelling, variable }: Pick<SettingFlag, 'spelling' | 'variable'>): {
  readonly name: string;
  readonly variable: string;
} {
  const dashed = spelling.replace(/^--/, '').replace(/ .*$/, '');
  return {
    name: dashed.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase()),
    variable: variable ?? `QMPGW_${dashed.replaceAll('-', '_').toUpperCase()}`,
  };
}

/** What the environment gives in place of flags. An empty variable counts as one that is not set. */
export function flagsFromEnvironment(environment: NodeJS.ProcessEnv, faults: SettingFault[]): Flags {
  const config = environment[configVariable];
  const given: Record<string, FlagValue> = config === undefined || config === '' ? {} : { config };
  for (const { name, variable, spelling, repeatable } of settingFlags) {
    const text = environment[variable];
    if (text === undefined || text === '') continue;
    if (repeatable === true) given[name] = text.split(',').map((entry) => entry.trim());
    else if (spelling.includes(' ')) given[name] = text;
    else if (/^(?:1|true|yes)$/i.test(text)) given[name] = true;
    else if (/^(?:0|false|no)$/i.test(text)) given[name] = false;
    else faults.push({ path: [variable], message: 'must be true or false' });
  }
  return given;
}

/** What the file holds, with the flags in their places. A flag that has no place, because what should hold it is wrong, is left out. */
export function withFlags(
  file: Readonly<Record<string, unknown>>,
  flags: Flags,
  faults: SettingFault[],
): Record<string, unknown> {
  const values = { ...file };
  for (const { name, path, merge } of settingFlags) {
    const given = flags[name];
    if (given === undefined) continue;
    const [key, member] = path;
    const present = values[key];
    if (member === undefined)
      values[key] = merge === undefined ? given : merge(given as readonly string[], present, faults);
    else if (isRecord(present)) values[key] = { ...present, [member]: given };
    else if (present === undefined || present === null) values[key] = { [member]: given };
  }
  return values;
}

const collect = (value: string, previous: string[] | undefined) => [...(previous ?? []), value];

/** The flags of `serve` for commander, with the variable of each. */
export function settingOptions(): Option[] {
  return [configOption('settings file', `${defaultFile} if it exists`), ...settingFlags.map(optionOf)];
}

export function configOption(what: string, fallback?: string): Option {
  return new Option('--config <file>', `${what} ${origins(configVariable, fallback)}`);
}

/** The flag `--state` of commands that only look into the state directory. */
export function stateOption(): Option {
  return optionOf(settingFlags.find(({ name }) => name === 'state') as FlagOfSetting);
}

function optionOf({ spelling, what, repeatable, default: value, variable }: FlagOfSetting): Option {
  const text = `${what}${repeatable === true ? '; repeatable' : ''} ${origins(variable, value)}`;
  const option = new Option(spelling, text);
  return repeatable === true ? option.argParser(collect) : option;
}

/** Where the value comes from when the flag is not given. */
function origins(variable: string, fallback: string | undefined): string {
  return fallback === undefined ? `(env: ${variable})` : `(default: ${fallback}; env: ${variable})`;
}
