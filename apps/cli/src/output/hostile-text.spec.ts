import type { GatewayClient } from '@qmp-gateway/client';
import { describe, expect, it } from 'vitest';
import type { CommandContext } from '../command-context.js';
import { commandText } from '../commands/describe-commands.js';
import { lookAtQom } from '../commands/qom.js';
import { openSerial } from '../commands/serial.js';
import { createToken } from '../commands/tokens.js';
import { writeReturned, writeRows } from './formats.js';
import { formatNames } from './format-names.js';
import { Output } from './output.js';
import { styleOf } from './style.js';

/** A line break, the title of the window, the same in one character of C1, text turned round. */
const odd = 'odd\n\u001b]0;owned\u0007\u009b31m\u202e';
const obeyed = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]|odd\n/;

/** What a terminal gets, without its colours. */
class Screen extends Output {
  constructor(private readonly texts: string[] = []) {
    const stream = { isTTY: true, columns: 80, write: (data: string) => texts.push(data), on: () => undefined };
    super(stream as never, stream as never, { NO_COLOR: '1' });
  }

  get text(): string {
    return this.texts.join('');
  }
}

function expectSafe({ text }: Screen): void {
  expect(text).toContain('odd');
  expect(obeyed.exec(text)?.[0]).toBeUndefined();
}

/** As commands get it, with a gateway that answers so. */
function contextWith(output: Output, client: object): CommandContext {
  const signal = new AbortController().signal;
  const context = { output, program: 'qmpctl', interruption: signal, stdin: { isTTY: false } };
  return { ...context, connect: () => Promise.resolve(client as GatewayClient) } as unknown as CommandContext;
}

describe('what a hostile VM says', () => {
  it.each(
    formatNames.flatMap((format) => [
      [format, 'a text', odd],
      [format, 'a list of texts', [odd, 1]],
      [format, 'names of members', { [odd]: odd }],
      [format, 'a list of objects', [{ [odd]: odd, more: { [odd]: [odd] } }]],
    ]),
  )('is obeyed by no terminal: -o %s, %s', async (format, _, value) => {
    const screen = new Screen();
    await writeReturned(screen, format, value);
    // Lines of a text stay lines, where the text is all there is.
    expect(JSON.stringify(screen.text.replaceAll('odd\n', 'odd ').match(obeyed))).toBe('null');
    expect(screen.text).toContain('odd');
  });

  it('is obeyed by no terminal where a list is empty, and why', async () => {
    const screen = new Screen();
    await writeRows(screen, 'table', [], { columns: [], name: String, none: odd });
    expectSafe(screen);
  });

  it('is obeyed by no terminal as objects and types', async () => {
    const screen = new Screen();
    const tree = { path: odd, type: odd, matches: [odd], commands: 1, complete: false, cut: odd };
    const vm = { qomObject: () => Promise.resolve(tree), qomProperty: () => Promise.resolve(tree) };
    await lookAtQom(contextWith(screen, { vm: () => vm }), 'a', '/', { output: 'table' });
    expectSafe(screen);
  });

  it('is obeyed by no terminal as what a command takes', () => {
    const types = {
      [odd]: {
        kind: 'object',
        name: odd,
        members: [{ name: odd, type: odd, optional: false }],
        tag: odd,
        variants: {},
      },
    };
    const command = {
      name: odd,
      summary: odd,
      reason: odd,
      arguments: odd,
      returns: odd,
      class: 'read',
      deprecated: false,
    };
    const surroundings = { style: styleOf({}, {}), width: 80 };
    for (const line of commandText({ commands: [], types } as never, command as never, surroundings))
      expect(JSON.stringify(obeyed.exec(line))).toBe('null');
  });
});

it('what a hostile gateway says of tokens and lines is obeyed by no terminal', async () => {
  const screen = new Screen();
  const made = { token: odd, id: odd, level: odd, vms: [odd], expires: odd };
  const context = contextWith(screen, { createToken: () => Promise.resolve(made) });
  for (const output of ['table', 'name', 'json']) await createToken(context, { output, level: 'read' });
  const nobody = { serials: () => Promise.resolve({ serials: [], reason: odd }) };
  await openSerial(contextWith(screen, { vm: () => nobody }), 'a', undefined, { output: 'table', list: true });
  expectSafe(screen);
});
