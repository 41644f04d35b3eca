import type { TypeSymbol } from './symbols.js';
import { describe } from './symbols.js';

/** The kinds of JSON values; nothing else decides the branch of an alternate. */
type JsonKind = 'string' | 'boolean' | 'null' | 'number' | 'array' | 'object';

interface ResolvedBranch {
  readonly name: string;
  readonly symbol: TypeSymbol;
}

/**
 * Checks that the JSON type of a value distinguishes the branches of an alternate (docs/devel/qapi-code-gen, "Alternate
 * types"). A string excludes numbers and booleans, because the command line writes those as strings; an enum does so
 * only if its values could be read that way.
 * @param fail - throws the message it gets
 */
export function checkAlternateBranches(branches: readonly ResolvedBranch[], fail: (problem: string) => never): void {
  const taken = new Map<JsonKind, string>();
  for (const { name, symbol } of branches) {
    const kinds = jsonKinds(symbol);
    if (kinds.length === 0) fail(`branch '${name}' can't be ${describe(symbol)}`);
    for (const kind of kinds) {
      const other = taken.get(kind);
      if (other !== undefined) fail(`branches '${other}' and '${name}' cannot be distinguished`);
      taken.set(kind, name);
    }
  }
}

/** The kinds of JSON values that a branch of this type accepts; empty if it cannot be a branch. */
function jsonKinds(symbol: TypeSymbol): readonly JsonKind[] {
  switch (symbol.kind) {
    case 'array':
      return ['array'];
    case 'object':
      return ['object'];
    case 'alternate':
      return [];
    case 'enum': {
      const names = symbol.type.values.map((value) => value.name);
      return [
        'string',
        ...(names.some((name) => name === 'on' || name === 'off') ? (['boolean'] as const) : []),
        ...(names.some((name) => /^[-+0-9.]/.test(name)) ? (['number'] as const) : []),
      ];
    }
    case 'builtin':
      switch (symbol.type.json) {
        case 'string':
          return ['string', 'number', 'boolean'];
        case 'int':
        case 'number':
          return ['number'];
        case 'boolean':
        case 'null':
          return [symbol.type.json];
        case 'value':
          return [];
      }
  }
}
