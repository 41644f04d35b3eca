/** What a setting is, for people, and the other ways of giving it. Type and default are those of the class it belongs to. */
export interface SettingDescription {
  /** What it does, in Markdown. */
  readonly what: string;
  /** What it takes. */
  readonly type: string;
  /** A value as the file has it, in YAML. */
  readonly example: string;
  /** Where there is no value to show. */
  readonly default?: string;
  /** Also a flag of `serve`, and with it a variable of the environment. */
  readonly flag?: SettingFlag;
  /** What the entries of a list or map are made of, by key. */
  readonly members?: MemberDescriptions;
  /** SIGHUP does not take it over. */
  readonly restart?: true;
}

export interface SettingFlag {
  /** With its argument, e.g. `--listen <addr>`; without one it is a switch. */
  readonly spelling: string;
  readonly what: string;
  readonly repeatable?: true;
  /** How its values go with what the file says; without it they take its place. Wrong ones become faults. */
  readonly merge?: (given: readonly string[], file: unknown, faults: string[]) => unknown;
}

export interface MemberDescription {
  readonly what: string;
  readonly type: string;
  /** As people read it; a member without one is needed, or has no value when it is not given. */
  readonly default?: string;
  readonly required?: true;
}
export type MemberDescriptions = Readonly<Record<string, MemberDescription>>;

const descriptions = new Map<object, Map<string, SettingDescription>>();

/** Describes a setting where it is declared: flags, variables and `docs/settings.md` are made of it. */
export function Setting(description: SettingDescription): PropertyDecorator {
  return (prototype, key) => {
    const known = descriptions.get(prototype) ?? new Map<string, SettingDescription>();
    descriptions.set(prototype, known.set(String(key), description));
  };
}

/** The described settings of a class, in their order. */
export function describedSettings(of: { readonly prototype: object }): ReadonlyMap<string, SettingDescription> {
  return descriptions.get(of.prototype) ?? new Map<string, SettingDescription>();
}
