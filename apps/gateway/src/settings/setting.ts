import type { DescribedClass, SettingFault, SettingType } from './setting-type.js';

/**
 * A setting: what it takes and what it does. The loader, flags, variables of the environment, `docs/settings.md` and
 * `docs/settings.schema.json` are all made of this.
 */
export interface SettingDescription<T = unknown> {
  /** What it does, in Markdown. */
  readonly what: string;
  readonly is: SettingType<T>;
  /** The value of a setting that is not given, as a file has it; without one it stays undefined. */
  readonly default?: unknown;
  /** For the page, where the value alone does not say it. */
  readonly defaultText?: string;
  readonly required?: true;
  /** A value as the file has it, in YAML. */
  readonly example?: string;
  /** The flag of `serve`, and with it the variable of the environment. */
  readonly flag?: SettingFlag;
  /** SIGHUP does not take it over. */
  readonly restart?: true;
}

export interface SettingFlag {
  /** With its argument, e.g. `--listen <addr>`; without one it is a switch. */
  readonly spelling: string;
  readonly what: string;
  readonly repeatable?: true;
  /** In the environment, where it is not called like the flag. */
  readonly variable?: string;
  /** How its values go with what the file says; without it they take its place. Wrong ones become faults. */
  readonly merge?: (given: readonly string[], file: unknown, faults: SettingFault[]) => unknown;
}

export type Descriptions = ReadonlyMap<string, SettingDescription>;

const descriptions = new Map<object, Map<string, SettingDescription>>();

/** Declares a setting on the member of a class that holds it. The compiler refuses a member that cannot hold what is read. */
export function Setting<T>(description: SettingDescription<T>) {
  return <C extends { readonly [P in K]?: unknown }, K extends string>(
    prototype: C,
    key: K & ([T] extends [C[K]] ? unknown : never),
  ): void => {
    const known = descriptions.get(prototype) ?? new Map<string, SettingDescription>();
    descriptions.set(prototype, known.set(key, description));
  };
}

/** The settings of a class, in their order. */
export function describedSettings(of: DescribedClass): Descriptions {
  return descriptions.get(of.prototype) ?? new Map<string, SettingDescription>();
}
