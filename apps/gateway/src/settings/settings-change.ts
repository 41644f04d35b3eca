import { isDeepStrictEqual } from 'node:util';
import { groupIn } from './object-type.js';
import { describedSettings } from './setting.js';
import { SettingsFile, type Settings } from './settings.js';

/** Paths of settings that are different now. */
export interface SettingsChange {
  readonly taken: readonly string[];
  readonly needRestart: readonly string[];
}

type Values = Readonly<Record<string, unknown>>;

/** Which changes a running gateway can take over, and which need a restart. */
export function settingsChange(current: Settings, fresh: Settings): SettingsChange {
  const [taken, needRestart]: [string[], string[]] = [[], []];
  const compare = (path: string, before: unknown, after: unknown, restart: boolean) => {
    if (!isDeepStrictEqual(before, after)) (restart ? needRestart : taken).push(path);
  };
  for (const [key, setting] of describedSettings(SettingsFile)) {
    const Group = groupIn(setting);
    if (Group === undefined) compare(key, valueOf(current, key), valueOf(fresh, key), setting.restart === true);
    else if (key === 'tls' && !isSameKindOfTls(current.tls, fresh.tls)) needRestart.push(key);
    else
      for (const [member, description] of describedSettings(Group))
        compare(
          `${key}.${member}`,
          valueOf(groupOf(current, key), member),
          valueOf(groupOf(fresh, key), member),
          description.restart === true,
        );
  }
  return { taken, needRestart };
}

/** Puts what can be taken over into the settings that all parts of the gateway hold. */
export function takeOverSettings(current: Settings, fresh: Settings, { taken }: SettingsChange): void {
  for (const path of taken) {
    const [key = '', member] = path.split('.');
    const [before, after] = [groupOf(current, key), groupOf(fresh, key)];
    // A group that came, or goes, does so as a whole.
    if (member === undefined || before === undefined || after === undefined) Object.assign(current, { [key]: after });
    else Object.assign(before, { [member]: valueOf(after, member) });
  }
}

/** A server asks for client certificates, or speaks TLS at all, from its start to its end. */
function isSameKindOfTls(before: Settings['tls'], after: Settings['tls']): boolean {
  return (
    (before === undefined) === (after === undefined) &&
    (before?.clientCa === undefined) === (after?.clientCa === undefined)
  );
}

function valueOf(object: object | undefined, key: string): unknown {
  return (object as Values | undefined)?.[key];
}

/** The settings of a group; undefined when there is none. */
function groupOf(settings: Settings, key: string): object | undefined {
  return valueOf(settings, key) as object | undefined;
}
