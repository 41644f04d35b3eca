import type { Condition, Feature } from '@qmp-gateway/qapi';

export type JsonObjectValue = Readonly<Record<string, unknown>>;

/** A fault in a catalog, before the file's name is known. */
export class CatalogFault extends Error {
  override readonly name = 'CatalogFault';

  constructor(where: string, problem: string) {
    super(where === '' ? problem : `in ${where}: ${problem}`);
  }
}

/**
 * One JSON object of a catalog, read member by member with its kind checked. Nothing of a damaged file may become a
 * silent gap in a model, so members nobody asked for are faults too (`done`).
 */
export class ObjectReader {
  readonly #object: JsonObjectValue;
  readonly #unread: Set<string>;

  constructor(
    value: unknown,
    readonly where: string,
  ) {
    if (!isObject(value)) throw new CatalogFault(where, 'expected an object');
    this.#object = value;
    this.#unread = new Set(Object.keys(value));
  }

  /** @throws CatalogFault when members are left that nobody read */
  done(): void {
    for (const name of this.#unread) this.fail(`unexpected member '${name}'`);
  }

  fail(problem: string): never {
    throw new CatalogFault(this.where, problem);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name);
  }

  value(name: string): unknown {
    this.#unread.delete(name);
    return Object.hasOwn(this.#object, name) ? this.#object[name] : undefined;
  }

  optionalText(name: string): string | undefined {
    const value = this.value(name);
    if (value === undefined || typeof value === 'string') return value;
    return this.fail(`'${name}' must be a string`);
  }

  text(name: string): string {
    return this.optionalText(name) ?? this.fail(`'${name}' is missing`);
  }

  flag(name: string, byDefault: boolean): boolean {
    const value = this.value(name);
    if (value === undefined) return byDefault;
    return typeof value === 'boolean' ? value : this.fail(`'${name}' must be true or false`);
  }

  list(name: string): readonly unknown[] {
    const value = this.value(name);
    if (value === undefined) return [];
    return Array.isArray(value) ? value : this.fail(`'${name}' must be a list`);
  }

  object(name: string): ObjectReader {
    return new ObjectReader(this.value(name), this.where === '' ? `'${name}'` : `'${name}' of ${this.where}`);
  }

  /** All members with their values; counts as reading them. */
  entries(): readonly (readonly [string, unknown])[] {
    this.#unread.clear();
    return Object.entries(this.#object);
  }

  /** `if` and `features`, which everything can have. */
  conditionAndFeatures(): { if?: Condition; features: readonly Feature[] } {
    return { ...this.condition(), features: this.features() };
  }

  condition(): { if?: Condition } {
    const value = this.value('if');
    return value === undefined ? {} : { if: this.#condition(value) };
  }

  features(): readonly Feature[] {
    return this.list('features').map((feature): Feature => {
      if (typeof feature === 'string') return { name: feature };
      const reader = new ObjectReader(feature, `a feature of ${this.where}`);
      const read = { name: reader.text('name'), ...reader.condition() };
      reader.done();
      return read;
    });
  }

  #condition(value: unknown): Condition {
    if (typeof value === 'string') return value;
    if (isObject(value) && Object.keys(value).length === 1) {
      const { all, any, not } = value;
      if (Array.isArray(all)) return { all: all.map((part: unknown) => this.#condition(part)) };
      if (Array.isArray(any)) return { any: any.map((part: unknown) => this.#condition(part)) };
      if (not !== undefined) return { not: this.#condition(not) };
    }
    return this.fail("'if' is no condition");
  }
}

function isObject(value: unknown): value is JsonObjectValue {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
