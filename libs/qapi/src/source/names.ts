/** Naming rules of the language (docs/devel/qapi-code-gen, "Naming rules and reserved names"). */

/** A downstream prefix (`__com.example_`), `x-` for experimental names, then letters, digits, `-` and `_`. */
const NAME = /^(?:__[a-z0-9.-]+_)?(?:x-)?([a-z][a-z0-9_-]*)$/i;

/** The identifier that QEMU's C code derives from a name; two names of one scope must not share it. */
export function cName(name: string): string {
  return name.replaceAll(/[-.]/g, '_');
}

/**
 * The part of `name` that the case rules apply to; undefined if the name is invalid. `q_` is reserved for the compiler.
 */
function stem(name: string): string | undefined {
  return cName(name).startsWith('q_') ? undefined : NAME.exec(name)?.[1];
}

const INVALID = 'is not a valid name';

/** The violation of the rule for events; undefined if there is none. */
export function upperCaseFault(name: string): string | undefined {
  const text = stem(name);
  if (text === undefined) return INVALID;
  return /[a-z-]/.test(text) ? "must be upper case without '-'" : undefined;
}

/** The violation of the rule for commands, members, enum values and features; undefined if there is none. */
export function lowerCaseFault(
  name: string,
  permit: { upper?: boolean; underscore?: boolean } = {},
): string | undefined {
  const text = stem(name);
  if (text === undefined) return INVALID;
  const broken = (!permit.upper && /[A-Z]/.test(text)) || (!permit.underscore && text.includes('_'));
  return broken ? "must be lower case without '_'" : undefined;
}

/**
 * The violation of the rule for types, which need a lower-case letter so that none looks like an event; undefined if
 * there is none.
 */
export function camelCaseFault(name: string): string | undefined {
  const text = stem(name);
  if (text === undefined) return INVALID;
  return /^[A-Z][A-Za-z0-9]*$/.test(text) && /[a-z]/.test(text) ? undefined : 'must be CamelCase';
}
