import { classOrder, type CommandClass } from '@qmp-gateway/catalog';
import { parseByteSize } from './byte-size.js';
import { parseDuration } from './duration.js';
import { socketPathFault } from './listener-address.js';
import { converted, oneOf, refuse, string, type SettingType } from './setting-type.js';

// What several settings take.

export function text(must = 'must be a string that is not empty'): SettingType<string> {
  return string({ called: 'string', must });
}

export function path(must = 'must be a path'): SettingType<string> {
  return string({ called: 'path', must });
}

/** An absolute path, short enough for the address of a unix socket. */
export function socketPath(must: string): SettingType<string> {
  return string({
    called: 'path',
    must,
    pattern: /^\//,
    faultsOf: (given) => [socketPathFault(given)].filter((fault) => fault !== undefined),
  });
}

export function groupName(): SettingType<string> {
  return string({ called: 'name, or number in quotes', must: 'must be the name of a group, or its number in quotes' });
}

export function level(): SettingType<CommandClass> {
  return oneOf(classOrder, 'level');
}

/** Bytes. */
export function size(): SettingType<number> {
  const must = 'must be a number of bytes, or a size such as 64KiB or 1MiB';
  return {
    called: 'size',
    schema: {
      type: ['integer', 'string'],
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      pattern: /^\d{1,12}(?:KiB|MiB|GiB)?$/.source,
      patternErrorMessage: must,
    },
    read(value) {
      const bytes = parseByteSize(value);
      return bytes === undefined ? refuse(must) : { value: bytes, faults: [] };
    },
  };
}

/** Milliseconds. */
export function duration(): SettingType<number> {
  const must = 'must be a duration such as 30s, 10m or 1h, of at most a year';
  const pattern = /^\d{1,7}(?:ms|s|m|h|d)?$/;
  return {
    called: 'duration',
    schema: {
      type: ['integer', 'string'],
      minimum: 0,
      maximum: 9_999_999,
      pattern: pattern.source,
      patternErrorMessage: must,
    },
    read(value) {
      const text = typeof value === 'number' ? String(value) : value;
      if (typeof text !== 'string' || !pattern.test(text)) return refuse(must);
      const milliseconds = parseDuration(text);
      if (milliseconds === undefined) return { faults: [{ path: [], message: must, beyondSchema: true }] };
      return { value: milliseconds, faults: [] };
    },
  };
}

/** Permission bits. */
export function mode(): SettingType<number> {
  const digits = string({
    called: 'octal digits in quotes',
    must: 'must be three octal digits in quotes, such as "0660"',
    pattern: /^0?[0-7]{3}$/,
  });
  return converted(digits, (given) => parseInt(given, 8));
}
