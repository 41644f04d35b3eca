import type { BuiltinName, ObjectType, QapiType } from '@qmp-gateway/qapi';
import fc from 'fast-check';

type Draw = <T>(values: readonly T[]) => T;

/** Past this depth optional members are left out and lists are empty, so that types which contain themselves end. */
const deepest = 6;

/** Bounds of the widths and what lies just outside; none that a double rounds. */
const integers = [
  0, 1, -1, 127, 128, -128, -129, 255, 256, 32767, 32768, -32768, -32769, 65535, 65536, 2147483647, 2147483648,
  -2147483648, -2147483649, 4294967295, 4294967296, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER,
]; // prettier-ignore
const strings = ['', 'a', 'on', 'é', 'two words'];
/** No strings of digits and no `1.0`: a JSON Schema validator sees those differently than QEMU does. */
const anything: readonly unknown[] = [null, true, 'junk', 7, 1.5, [], {}, { a: [1] }];

/**
 * Values for `type`: most as it wants them, and about one in three with something wrong (another type, a member that is
 * missing, unknown or of another branch, a value that is none).
 */
export function valuesOf(type: QapiType): fc.Arbitrary<unknown> {
  return fc.gen().map((generate) => {
    const draw: Draw = (values) => values[generate(fc.nat, { max: values.length - 1 })] as (typeof values)[number];
    const wrongOften = draw([0, 0, 0, 0, 12, 40]);
    const wrong = (): boolean => wrongOften > 0 && generate(fc.nat, { max: wrongOften }) === 0;
    return value(type, 0);

    function value(of: QapiType, depth: number): unknown {
      if (wrong()) return draw(anything);
      switch (of.kind) {
        case 'builtin':
          return builtin(of.name);
        case 'enum':
          return draw(of.values).name;
        case 'alternate':
          return value(draw(of.branches).type, depth + 1);
        case 'array':
          return Array.from({ length: depth >= deepest ? 0 : draw([0, 1, 2]) }, () => value(of.element, depth + 1));
        case 'object':
          return Object.fromEntries(members(of, depth));
      }
    }

    function builtin(name: BuiltinName): unknown {
      switch (name) {
        case 'str':
          return draw(strings);
        case 'bool':
          return draw([true, false]);
        case 'null':
          return null;
        case 'any':
          return draw(anything);
        case 'number':
          return draw([0, -1, 1.5, 1000000]);
        default:
          return draw(integers);
      }
    }

    function members(of: ObjectType, depth: number): [string, unknown][] {
      const chosen: [string, unknown][] = [];
      for (const member of of.members) {
        const left = member.optional ? depth >= deepest || draw([true, true, false]) : wrong();
        if (!left) chosen.push([member.name, value(member.type, depth + 1)]);
      }
      const tag = chosen.find(([name]) => name === of.variants?.tag)?.[1];
      const branch = of.variants?.cases.find((each) => (wrong() ? true : each.case === tag));
      if (branch) chosen.push(...members(branch.type, depth));
      if (wrong()) chosen.push(['no-such-member', 1]);
      return chosen;
    }
  });
}
