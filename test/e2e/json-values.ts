/**
 * Texts for JSON readers to disagree on: every class of character raw and escaped, numbers in all spellings, structure
 * around the bounds, and near misses of all of them.
 */

/** A whole number in [0, bound). */
type Random = (bound: number) => number;

const pick = <T>(random: Random, list: readonly T[]): T => list[random(list.length)] as T;

/** Code points from one to the other, or these. */
const characterClasses: readonly (readonly [number, number])[] = [
  [0x20, 0x7e],
  [0x00, 0x1f],
  [0x7f, 0x7f],
  [0x80, 0x9f],
  [0xa0, 0xff],
  [0x100, 0x7ff],
  [0x800, 0x2fff],
  [0x2028, 0x2029],
  [0xd7f0, 0xd7ff],
  [0xd800, 0xdbff],
  [0xdc00, 0xdfff],
  [0xe000, 0xf8ff],
  [0xfdc8, 0xfdf7],
  [0xfeff, 0xfeff],
  [0xfff0, 0xffff],
  [0x10000, 0x1f9ff],
  [0xe0000, 0xe0fff],
];

function codePoint(random: Random): number {
  if (random(5) === 0) return random(17) * 0x10000 + 0xfffa + random(6);
  const [first, last] = pick(random, characterClasses);
  return first + random(last - first + 1);
}

/** UTF-8 as its rule has it, for surrogates too, and in more bytes than needed when told so. */
function utf8(point: number, atLeast = 1): Buffer {
  const needed = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  const length = Math.max(needed, atLeast);
  if (length === 1) return Buffer.of(point);
  const tail = Array.from({ length: length - 1 }, (_, at) => 0x80 | ((point >> (6 * (length - 2 - at))) & 0x3f));
  const lead = [0, 0, 0xc0, 0xe0, 0xf0, 0xf8, 0xfc][length] ?? 0;
  return Buffer.of(lead | (point >> (6 * (length - 1))), ...tail);
}

function escaped(random: Random, point: number): string {
  const units = point < 0x10000 ? [point] : [0xd800 + ((point - 0x10000) >> 10), 0xdc00 + (point & 0x3ff)];
  const hex = units.map((unit) => unit.toString(16).padStart(4, '0'));
  return hex.map((digits) => `\\u${random(2) === 0 ? digits : digits.toUpperCase()}`).join('');
}

const simpleEscapes = ['\\"', '\\\\', '\\/', '\\b', '\\f', '\\n', '\\r', '\\t'];
const oddEscapes = [
  "\\'",
  '\\v',
  '\\0',
  '\\a',
  '\\x41',
  '\\U0041',
  '\\u',
  '\\u12',
  '\\u12G4',
  '\\u-123',
  '\\u 041',
  '\\',
  '\\ ',
];
const oddBytes = [0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xf5, 0xf8, 0xfc, 0xfe, 0xff];

function oddSequence(random: Random): Buffer {
  switch (random(5)) {
    case 0:
      return Buffer.of(pick(random, oddBytes));
    case 1:
      return utf8(random(3) === 0 ? 0 : random(0x80), 2 + random(4));
    case 2:
      return utf8(codePoint(random), 2 + random(4));
    case 3:
      return utf8(0x110000 + random(0x2000));
    default: {
      const whole = utf8(0x80 + random(0x10000));
      return whole.subarray(0, whole.length - 1);
    }
  }
}

function piece(random: Random, quote: string): Buffer {
  const kind = random(100);
  if (kind < 40) {
    const point = codePoint(random);
    const needsEscape = point < 0x20 || point === 0x5c || point === quote.charCodeAt(0);
    return needsEscape && random(8) > 0 ? Buffer.from(escaped(random, point)) : utf8(point);
  }
  if (kind < 75) return Buffer.from(escaped(random, codePoint(random)));
  if (kind < 85) return Buffer.from(pick(random, simpleEscapes));
  if (kind < 92) return Buffer.from(pick(random, ['a', "'", '"', '%s', '😀', '\\\\', '/*']));
  return kind < 96 ? Buffer.from(pick(random, oddEscapes)) : oddSequence(random);
}

function stringText(random: Random): Buffer {
  const quote = random(8) === 0 ? "'" : '"';
  const pieces = Array.from({ length: random(4) }, () => piece(random, quote));
  return Buffer.concat([Buffer.from(quote), ...pieces, Buffer.from(random(200) === 0 ? '' : quote)]);
}

/** A string of nothing odd, so that what is around it is what counts. */
function plainString(random: Random): Buffer {
  const text = Array.from({ length: random(4) }, () => String.fromCodePoint(0x61 + random(26))).join('');
  const quote = random(20) === 0 ? "'" : '"';
  return Buffer.from(`${quote}${text}${quote}`);
}

const numbers = [
  ...[
    '0',
    '-0',
    '1',
    '-1',
    '00',
    '01',
    '-01',
    '-',
    '--1',
    '+1',
    '.5',
    '5.',
    '-.5',
    '1.5',
    '1.5.5',
    '1.e5',
    '0.0',
    '-0.0',
  ],
  ...[
    '1e5',
    '1E5',
    '1e+5',
    '1E-5',
    '1e',
    '1e+',
    '1ee5',
    '1e5.5',
    '1e400',
    '-1e400',
    '1e-400',
    '1E+308',
    '1.8e308',
    '0e0',
  ],
  ...['2147483648', '4294967296', '9007199254740993', '9223372036854775807', '9223372036854775808'],
  ...['-9223372036854775808', '-9223372036854775809', '18446744073709551615', '18446744073709551616'],
  ...[
    '0x10',
    '0b1',
    '0o7',
    '1_000',
    '1,000',
    '1f',
    '1a',
    '1 2',
    '١',
    'Infinity',
    '-Infinity',
    'NaN',
    'inf',
    'nan',
    '1L',
    '1n',
  ],
];

function numberText(random: Random): Buffer {
  if (random(3) > 0) return Buffer.from(pick(random, numbers));
  const digits = (most: number) => Array.from({ length: 1 + random(most) }, () => random(10)).join('');
  const length = random(40) === 0 ? 400 : 25;
  const parts = [pick(random, ['', '', '-']), digits(length)];
  if (random(2) === 0) parts.push(pick(random, ['.', '.', '..', '']), digits(20));
  if (random(2) === 0) parts.push(pick(random, ['e', 'E', 'e+', 'E-', 'e--']), digits(4));
  return Buffer.from(parts.join(''));
}

const words = [
  ...['true', 'false', 'null', 'True', 'NULL', 'tru', 'nulll', 'truefalse', 'undefined', 'yes', 'none', 'a', 'e5', '_'],
  ...[
    '%s',
    '%d',
    '%p',
    '%i',
    '@',
    '$x',
    '`a`',
    '(1)',
    '<a>',
    '=',
    '\\',
    '\\u0031',
    '//',
    '/**/1',
    '#',
    ';',
    '1;',
    '!',
    '',
  ],
];

/** White space as JSON has it, and as it has not. */
function space(random: Random): string {
  if (random(4) > 0) return '';
  if (random(25) > 0) return pick(random, [' ', '  ', '\n', '\r\n', '\t', ' \t\r\n']);
  return pick(random, ['\f', '\v', '\0', '\u00a0', '\ufeff', '\u2028', '\u3000', '\u0085', '\u0001', '\b', '/* */']);
}

function list(random: Random, open: string, close: string, item: () => Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from(open + space(random))];
  const count = random(4);
  for (let at = 0; at < count; at++) {
    if (at > 0) parts.push(Buffer.from(random(60) === 0 ? pick(random, ['', ',,', ';', ':']) : ','));
    parts.push(Buffer.from(space(random)), item(), Buffer.from(space(random)));
  }
  parts.push(
    Buffer.from(
      random(60) === 0 ? `,${close}` : random(60) === 0 ? pick(random, ['', ']', '}', `${close}${close}`]) : close,
    ),
  );
  return Buffer.concat(parts);
}

/** Objects and arrays inside one another, this deep, around something. */
function nested(random: Random, depth: number): Buffer {
  let open = '';
  let close = '';
  for (let level = 0; level < depth; level++) {
    const isObject = random(2) === 0;
    open += isObject ? '{"a":' : '[';
    close = (isObject ? '}' : ']') + close;
  }
  return Buffer.from(open + '1' + close);
}

const depths = [2, 10, 61, 62, 63, 64, 65, 66, 100, 1019, 1020, 1021, 1022, 1023, 1024, 1030];

function value(random: Random, level: number): Buffer {
  const kind = random(100);
  if (kind < 45) return stringText(random);
  if (kind < 65) return numberText(random);
  if (kind < 73) return Buffer.from(pick(random, words));
  if (level > 3) return plainString(random);
  return kind < 86 ? list(random, '[', ']', () => value(random, level + 1)) : objectText(random, level);
}

function objectText(random: Random, level: number): Buffer {
  return list(random, '{', '}', () => member(random, level));
}

function member(random: Random, level: number): Buffer {
  const colon = random(60) === 0 ? pick(random, ['', '::', '=', ',']) : ':';
  const name = random(60) === 0 ? pick(random, [Buffer.from('a'), numberText(random)]) : null;
  return Buffer.concat([
    name ?? (random(3) === 0 ? plainString(random) : stringText(random)),
    Buffer.from(space(random) + colon + space(random)),
    random(3) === 0 ? plainString(random) : value(random, level + 1),
  ]);
}

/** Changed by a byte or so. */
function mutated(random: Random, text: Buffer): Buffer {
  const at = random(text.length + 1);
  const inserted =
    random(2) === 0 ? Buffer.of(random(256)) : Buffer.from(pick(random, ['"', "'", '\\', '{', ']', ':', ',', '0']));
  return Buffer.concat([text.subarray(0, at), random(3) === 0 ? Buffer.of() : inserted, text.subarray(at + random(2))]);
}

/** What a client might send as the arguments of a command: short, as QEMU reads its monitors slowly. */
export function argumentsText(random: Random): Buffer {
  const kind = random(1000);
  const member = (text: Buffer): Buffer => Buffer.concat([Buffer.from('{"x":'), text, Buffer.from('}')]);
  if (kind < 350) return member(stringText(random));
  if (kind < 450) return Buffer.concat([Buffer.from('{'), stringText(random), Buffer.from(':1}')]);
  if (kind < 580) return member(numberText(random));
  if (kind < 620) return member(Buffer.from(pick(random, words)));
  if (kind < 780) return objectText(random, 0);
  if (kind < 860) return member(value(random, 0));
  if (kind < 870) return value(random, 0);
  if (kind < 872) return nested(random, pick(random, depths));
  if (kind < 874) return member(Buffer.from(`"${'x'.repeat(random(20_000))}"`));
  if (kind < 875) return member(Buffer.from(`[${'1,'.repeat(random(5000))}1]`));
  if (kind < 940) return mutated(random, objectText(random, 0));
  return mutated(random, member(stringText(random)));
}
