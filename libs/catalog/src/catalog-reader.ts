import { isRecord, type Condition, type Feature } from '@qmp-gateway/qapi';

export type JsonObjectValue = Readonly<Record<string, unknown>>;

/** An error in a part of a catalog, before the file's name is known. */
export class CatalogPartError extends Error {
  override readonly name = 'CatalogPartError';

  constructor(where: string, problem: string) {
    super(where === '' ? problem : `in ${where}: ${problem}`);
  }
}

/**
 * Reads one JSON object of a catalog member by member, and checks each kind. No damage of a file may become a silent
 * gap in a model, so unread members are faults too (`done`).
 */
export class ObjectReader {
  readonly #object: JsonObjectValue;
  readonly #unread: Set<string>;

  constructor(
    value: unknown,
    readonly where: string,
  ) {
    if (!isRecord(value)) throw new CatalogPartError(where, 'expected an object');
    this.#object = value;
    this.#unread = new Set(Object.keys(value));
  }

  /** @throws CatalogPartError if unread members remain */
  done(): void {
    for (const name of this.#unread) this.fail(`unexpected member '${name}'`);
  }

  fail(problem: string): never {
    throw new CatalogPartError(this.where, problem);
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

  /** All members with their values; marks them as read. */
  entries(): readonly (readonly [string, unknown])[] {
    this.#unread.clear();
    return Object.entries(this.#object);
  }

  /** `if` and `features`, which every entity can have. */
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
    if (isRecord(value) && Object.keys(value).length === 1) {
      const { all, any, not } = value;
      if (Array.isArray(all)) return { all: all.map((part: unknown) => this.#condition(part)) };
      if (Array.isArray(any)) return { any: any.map((part: unknown) => this.#condition(part)) };
      if (not !== undefined) return { not: this.#condition(not) };
    }
    return this.fail("'if' is not a condition");
  }
}
