import { type Value, isArray, isObject } from './parser.js';
import { type Position, QapiSchemaError } from './position.js';

/** The lists of a schema's exceptions to the rules (docs/devel/qapi-code-gen, "Pragma directives"). */
export type ExceptionList =
  'command-name-exceptions' | 'command-returns-exceptions' | 'documentation-exceptions' | 'member-name-exceptions';

const EXCEPTION_LISTS: readonly string[] = [
  'command-name-exceptions',
  'command-returns-exceptions',
  'documentation-exceptions',
  'member-name-exceptions',
] satisfies ExceptionList[];

/**
 * The values of pragma directives. They apply to the whole schema, wherever they stand; a later one replaces an earlier
 * one.
 */
export class Pragmas {
  docRequired = false;
  readonly #exceptions = new Map<string, ReadonlySet<string>>();

  /** True if `name` is exempt from the rule. */
  excepts(list: ExceptionList, name: string): boolean {
    return this.#exceptions.get(list)?.has(name) ?? false;
  }

  /** True if the schema has such a list at all. */
  has(list: ExceptionList): boolean {
    return this.#exceptions.has(list);
  }

  /** Applies the value of a pragma directive. @throws QapiSchemaError at `position` */
  apply(value: Value | undefined, position: Position): void {
    if (!isObject(value)) throw new QapiSchemaError(position, "'pragma' takes an object");
    for (const [name, setting] of value) {
      if (name === 'doc-required') {
        if (typeof setting !== 'boolean') throw new QapiSchemaError(position, `pragma '${name}' takes a boolean`);
        this.docRequired = setting;
      } else if (EXCEPTION_LISTS.includes(name)) {
        if (!isArray(setting) || !setting.every((item) => typeof item === 'string')) {
          throw new QapiSchemaError(position, `pragma '${name}' takes a list of strings`);
        }
        this.#exceptions.set(name, new Set(setting));
      } else {
        throw new QapiSchemaError(position, `unknown pragma '${name}'`);
      }
    }
  }
}
