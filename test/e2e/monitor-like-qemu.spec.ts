import path from 'node:path';
import { RawQmpClient, type Qemu } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GatewayScene, registerVm } from './gateway-scene.js';
import { argumentsText } from './json-values.js';
import { randomNumbers } from './random-numbers.js';

const scene = new GatewayScene();
let qemu: Qemu;
let shared: string;

beforeAll(async () => {
  const directory = path.join(scene.directory(), 'monitors');
  const gateway = await scene.gateway({ settings: { monitorSockets: { dir: directory, level: 'host' } } });
  qemu = await scene.qemu({ qmpSockets: 2 });
  shared = path.join(directory, `${await registerVm(gateway, `unix:${qemu.socket}`)}.sock`);
});
afterAll(() => scene.end());

/** What an answer says but for its words: the id it has, and whether it is an error, of which class. */
type Answer = readonly [id: unknown, what: string];

/** Someone at a monitor, who starts afresh after each input. */
class Speaker {
  #count = 0;

  private constructor(private readonly client: RawQmpClient) {}

  static async at(socket: string): Promise<Speaker> {
    const client = scene.keep(await RawQmpClient.connect(socket), (one) => one.close());
    expect(await client.line()).toContain('"QMP"');
    return new Speaker(client);
  }

  /** @returns the answers to an input, in their order, without that to the byte that ends it */
  async say(input: string | Buffer): Promise<Answer[]> {
    const mark = `end-${++this.#count}`;
    const bytes = typeof input === 'string' ? Buffer.from(input, 'latin1') : input;
    this.client.write(Buffer.concat([bytes, Buffer.from(`\n\xff{"execute":"query-name","id":"${mark}"}\n`, 'latin1')]));
    const answers: Answer[] = [];
    for (;;) {
      const line = await this.client.line();
      if (line === null) throw new Error(`the monitor ended at ${JSON.stringify(bytes.toString('latin1'))}`);
      const message = JSON.parse(line) as { id?: unknown; event?: string; error?: { class: string } };
      if (message.id === mark) return withoutLast(answers);
      if (message.event === undefined)
        answers.push(['id' in message ? message.id : 'no id', message.error?.class ?? 'return']);
    }
  }

  close(): void {
    this.client.close();
  }
}

/** Without the error to the byte that ends the input. What ran out of band may be told before or after it. */
function withoutLast(answers: readonly Answer[]): Answer[] {
  const end = answers.map(([id]) => id).lastIndexOf('no id');
  return answers.filter((_, at) => at !== end);
}

const capabilities = '{"execute":"qmp_capabilities"}';
const withOob = '{"execute":"qmp_capabilities","arguments":{"enable":["oob"]}}';
const q = '{"execute":"query-status","id":1}';

/** Both monitors, after this much of a conversation. */
async function both<T>(before: string, use: (qemu: Speaker, shared: Speaker) => Promise<T>): Promise<T> {
  const [direct, ours] = [await Speaker.at(qemu.sockets[1] ?? ''), await Speaker.at(shared)];
  for (const speaker of [direct, ours]) if (before !== '') await speaker.say(before);
  try {
    return await use(direct, ours);
  } finally {
    direct.close();
    ours.close();
  }
}

const messages = [
  ...[q, "{'execute':'query-status','id':'a'}", `{'execute':"query-status",'id':"it's"}`, '{"execute":"query-name"}'],
  ...[`{'execute':'query-status','id':'it\\'s "q" \\" \\u0027'}`, `{"execute":"query-status","id":"it\\'s"}`],
  ...['{"execute":"query-status","id":null}', '{"execute":"query-status","id":[1,{"a":[2.5]}]}'],
  ...['{"execute":"query-status","id":true}', '{"execute":"query-status","id":18446744073709551615}'],
  ...['{"execute":"nope","id":1}', '{"execute":"","id":1}', '{"execute":"Query-Status","id":1}', '{"execute":"nope"}'],
  ...['{"execute":"query-status","arguments":{"x":1},"id":1}', '{"execute":"device_del","arguments":{},"id":1}'],
  ...['{"execute":"device_del","arguments":{"id":5},"id":1}', '{"execute":"device_del","arguments":{"id":"x"},"id":1}'],
  ...[
    "{'execute':'device_del','arguments':{'id':'\"'},'id':1}",
    '{"execute":"balloon","arguments":{"value":1},"id":1}',
  ],
  ...['{"execute":"set-action","arguments":{"reboot":"explode"},"id":1}', '{"execute":"stop","more":1,"id":1}'],
  ...[
    '{}',
    '{"id":1}',
    '{"execute":1,"id":1}',
    '{"execute":null,"id":1}',
    '{"exec-oob":1,"id":1}',
    '[]',
    '"x"',
    '1',
    'true',
  ],
  ...['{"execute":"stop","exec-oob":"stop","id":1}', '{"execute":"stop","arguments":null,"id":1}'],
  ...['{"execute":"stop","arguments":[],"id":1}', '{"return":{},"id":1}', '{"event":"STOP"}', '{"QMP":{}}', `[${q}]`],
  ...['{"exec-oob":"query-yank","id":1}', '{"exec-oob":"query-status","id":1}', '{"exec-oob":"nope","id":1}'],
  ...['{"exec-oob":"query-yank","arguments":{"x":1},"id":1}', '{"exec-oob":"qmp_capabilities","id":1}'],
  ...['{"execute":"getfd","arguments":{"fdname":"x"},"id":1}', '{"execute":"add-fd","id":1}'],
  ...['{"execute":"qmp_capabilities","arguments":{"enable":["nope"]},"id":1}'],
  ...['{"execute":"qmp_capabilities","arguments":{"enable":"oob"},"id":1}'],
  ...['{"execute":"qmp_capabilities","arguments":{"enable":[1]},"id":1}'],
  ...['{"execute":"qmp_capabilities","arguments":{"able":[]},"id":1}'],
  ...['{"execute":"query-name","execute":"stop","id":1}', '{"execute":"query-name","id":1,"id":2}'],
  ...[
    '{"execute":"query-name","id":"\\uffff"}',
    '{"execute":"query-name","id":"\\ud800"}',
    '{"execute":"query-name","id":0e1}',
  ],
  `${q}{"execute":"nope","id":2} x {"execute":"query-name","id":3}[]${q}`,
];

const negotiation = [
  '{"execute":"qmp_capabilities","id":1}',
  '{"execute":"qmp_capabilities","arguments":{"enable":["oob"]},"id":1}',
  '{"execute":"qmp_capabilities","arguments":{"enable":[]},"id":1}',
];

/** Bytes that are no JSON, each with something good behind it. */
const broken = [
  ...[
    '}',
    ']',
    '}]',
    ',',
    ':',
    ',:',
    '1 2',
    '1,2',
    '"a""b"',
    '1"a"',
    'abc',
    'abc def',
    'abc1',
    '1abc',
    'abc{}',
    '{]',
    '[}',
  ],
  ...[
    '{{]',
    '[[}',
    '{"x":[1}]',
    `{"execute": @ ${q}`,
    `{"execute": @${q}`,
    `{"execute":"a\n${q}`,
    `{"execute":"a\t${q}`,
  ],
  ...[
    `{"a":"b\x01c"}${q}`,
    `@abc${q}`,
    `@ abc ${q}`,
    `@"x"${q}`,
    '@ @ @',
    '@\n@\n@',
    '@,@:@[@]@',
    '01 2 3',
    `[01, 2]${q}`,
  ],
  ...[
    `{"a":01,"b":2}${q}`,
    `{"a":\xff,"b":2}${q}`,
    '\xff\xff\xff',
    '\x00\x01\xff',
    `{"a":1\x00${q}`,
    `{"a":1 \xff${q}`,
  ],
  ...[`"abc\xff${q}`, `"abc\x00def"${q}`, `\xc3\xa9${q}`, `\xef\xbb\xbf${q}`, `/* x */${q}`, `// ${q}`, `# x\n${q}`],
  ...[`{"a":1;"b":2}${q}`, `{"a":1,,}${q}`, `{"a" 1}${q}`, `[1 2]${q}`, `{a:1}${q}`, `{"a":nope}${q}`, `'a\nb'${q}`],
  ...[
    `"a\x7fb"${q}`,
    `\x7f${q}`,
    '-',
    '-x',
    '1.',
    '1e',
    '1.x',
    '1e+x',
    '0x1',
    '00',
    '-0',
    '0e0',
    '1.5',
    `Abc${q}`,
    `_a${q}`,
  ],
  ...[
    `%s${q}`,
    '%"a"',
    'a%b',
    `[%s]${q}`,
    `[1%]${q}`,
    `\f${q}`,
    `{\f${q}`,
    `\\n${q}`,
    `{"a":"\\q"}${q}`,
    `{"a":"b\\\n"}${q}`,
  ],
  ...[
    `{"a":"\\\xff"}${q}`,
    '{"a":"b',
    `!!! {"a":1} !!!${q}`,
    `=[1]${q}`,
    `(1)${q}`,
    '<a>',
    `${q}}${q}`,
    `${q}]`,
    `[${q},${q}]`,
  ],
  ...[
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    'info status\n',
    `{"a":"\xf5"}${q}`,
    `{"a":"\xc0\xaf"}${q}`,
    `{"a":"\xfe"}${q}`,
  ],
  ...[`{"a":"\xf8\x80\x80\x80\x80"}${q}`, `{"a":"\xc2"}${q}`, `{"a":"\x80"}${q}`, `{"a":"\xed\xa0\x80"}${q}`],
  ...[
    `{"a":"\xef\xbf\xbf"}${q}`,
    `{'a':'\\x'}${q}`,
    `{"a":'b"}${q}`,
    `'''${q}`,
    `{"a":[}`,
    `{"execute":"query-name","id":1`,
  ],
];

describe('the shared monitor answers as that of QEMU: the same ids, classes and order', () => {
  it.each([
    ['before the negotiation', '', [...messages, ...broken]],
    ['after it', capabilities, [...messages, ...negotiation, ...broken]],
    ['with out-of-band execution', withOob, [...messages, ...negotiation]],
  ])('%s', async (_, before, inputs) => {
    await both(before, async (direct, ours) => {
      for (const input of inputs) expect([input, await ours.say(input)]).toEqual([input, await direct.say(input)]);
    });
  });

  it.each(negotiation)('in the negotiation: %s', async (input) => {
    await both('', async (direct, ours) => {
      for (const said of [q, input, q, '{"exec-oob":"query-yank","id":2}', input])
        expect([said, await ours.say(said)]).toEqual([said, await direct.say(said)]);
    });
  });

  it('whatever the arguments of a command are', async () => {
    const random = randomNumbers(13);
    await both(capabilities, async (direct, ours) => {
      for (let count = 0; count < 1000; count++) {
        const text = argumentsText(random);
        if (isTakenOtherwise(text)) continue;
        const message = Buffer.concat([
          Buffer.from('{"execute":"query-name","arguments":'),
          text,
          Buffer.from(',"id":1}'),
        ]);
        const shown = JSON.stringify(text.toString('latin1'));
        expect(`${shown}: ${JSON.stringify(await ours.say(message))}`).toBe(
          `${shown}: ${JSON.stringify(await direct.say(message))}`,
        );
      }
    });
  });
});

/** NUL in two bytes, which is not UTF-8; nesting where QEMU 7.2 answers each bracket behind its bound. */
function isTakenOtherwise(text: Buffer): boolean {
  return text.includes(Buffer.of(0xc0, 0x80)) || /^(?:\[|\{"a":){500}/.test(text.toString('latin1'));
}
