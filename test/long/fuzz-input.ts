/** Odd input made of good input: what parsers and checks meet in the wild, and what they never do. */

/** A whole number in [0, bound). */
export type Random = (bound: number) => number;

const words = [
  ...[
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    '\\',
    '\r\n',
    '\n',
    '\0',
    '\u001b[31m',
    ' ',
    '\t',
    '%',
    '%00',
    '%zz',
    '../',
    '//',
  ],
  ...[
    '\\u0000',
    '\\ud800',
    '\\u0065',
    '\ufeff',
    'é',
    '😀',
    '__proto__',
    'constructor',
    'toString',
    'null',
    'true',
    '-0',
  ],
  ...['1e999', '-1', '9223372036854775808', '18446744073709551615', '0.1', 'NaN', '{}', '[]', '""', '"a"'],
  ...['"execute"', '"exec-oob"', '"arguments"', '"id"', '"return"', '"error"', '"event"', '"timestamp"', '"QMP"'],
  ...['"class"', '"desc"', '"jsonrpc":"2.0"', '"method"', '"params"', '"vm"', '"command"', '"after":"oldest"'],
  ...['Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n', 'Upgrade: websocket\r\n', 'Host: evil\r\n', '*'],
];

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random(list.length)] as T;
}

function bytesOf(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random(256)));
}

/** Some changes to good bytes: flipped, cut, doubled, spliced, with words of the trade or noise in between. */
export function mutated(random: Random, good: string | Buffer, others: readonly string[] = []): Buffer {
  let bytes = Buffer.from(good as string);
  for (let change = random(4); change >= 0; change--) {
    const at = random(bytes.length + 1);
    const end = Math.min(bytes.length, at + random(random(8) === 0 ? 200 : 12));
    const [before, middle, after] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
    const insert = (...pieces: Buffer[]) => Buffer.concat([before, ...pieces, after]);
    switch (random(7)) {
      case 0:
        bytes = insert();
        break;
      case 1:
        bytes = insert(middle, middle);
        break;
      case 2:
        bytes = insert(Buffer.from(pick(random, words)), middle);
        break;
      case 3:
        bytes = insert(bytesOf(random, random(9)));
        break;
      case 4:
        bytes = insert(Buffer.from(pick(random, words).repeat(random(400))), middle);
        break;
      case 5:
        bytes = insert(Buffer.from(others.length === 0 ? '' : pick(random, others)));
        break;
      default:
        bytes = insert(Buffer.from(middle.map((byte) => byte ^ (1 << random(8)))));
    }
  }
  return bytes;
}

/** Any JSON value, most of them small. */
export function anyJson(random: Random, depth = 0): string {
  const scalars = ['null', 'true', 'false', '0', '-1', '1.5', '1e400', '123456789012345678901', '""', '"text"'];
  const more = ['"\\u001b[0m"', '"__proto__"', '"running"', '"2147483648"'];
  const kind = random(depth > 3 ? 1 : 3);
  if (kind === 0) return pick(random, [...scalars, ...more]);
  const items = Array.from({ length: random(4) }, () => anyJson(random, depth + 1));
  if (kind === 1) return `[${items.join(',')}]`;
  const names = [
    'status',
    'running',
    'name',
    'UUID',
    'class',
    'desc',
    'label',
    'filename',
    'QMP',
    'meta-type',
    '__proto__',
  ];
  return `{${items.map((item) => `"${pick(random, names)}":${item}`).join(',')}}`;
}

/** A JSON text with one value in it replaced by any other. */
export function retyped(random: Random, json: string): string {
  const values = [...json.matchAll(/"(?:[^"\\]|\\.)*"(?!\s*:)|-?\d+|true|false|null/g)];
  const found = values.length === 0 ? undefined : pick(random, values);
  if (found === undefined || random(10) === 0) return anyJson(random);
  return json.slice(0, found.index) + anyJson(random) + json.slice(found.index + found[0].length);
}

/** Cut into pieces of any size, as networks do. */
export function* pieces(random: Random, bytes: Buffer): Iterable<Buffer> {
  for (let at = 0; at < bytes.length;) {
    const end = random(3) === 0 ? at + 1 + random(20) : bytes.length;
    yield bytes.subarray(at, end);
    at = end;
  }
}
