import type { SerialClient, SerialPart } from '@qmp-gateway/client';
import { expect, it } from 'vitest';
import { missingOutput, TerminalLine } from './terminal-line.js';

function lineOf(parts: readonly SerialPart[], error?: Error): SerialClient {
  const stream = {
    // eslint-disable-next-line @typescript-eslint/require-await
    async *[Symbol.asyncIterator]() {
      yield* parts;
      if (error !== undefined) throw error;
    },
    write: () => false,
    close: () => undefined,
  };
  return { connect: () => stream } as unknown as SerialClient;
}

it('shows output and gaps in their order, and who types', async () => {
  const shown: string[] = [];
  const terminal = {
    write: (data: string | Uint8Array, done?: () => void) => {
      shown.push(typeof data === 'string' ? data : new TextDecoder().decode(data));
      done?.();
    },
  };
  const parts: SerialPart[] = [
    { kind: 'connection', open: true },
    { kind: 'output', bytes: new TextEncoder().encode('login:') },
    { kind: 'gap', bytes: 17 },
    { kind: 'typist', typist: 'ops', you: false },
    { kind: 'refused', reason: 'somebody else types' },
  ];
  const link = new TerminalLine(lineOf(parts), terminal, false);
  await expect.poll(() => link.standing.notice).toBe('somebody else types');
  expect(shown).toEqual(['login:', missingOutput(17)]);
  expect(link.standing).toMatchObject({ isOpen: true, typist: 'ops', isMine: false });
  link.type('x');
  expect(link.standing.notice).toContain('went nowhere');
});

it('does not type for the terminal until its reader has typed', async () => {
  const typed: string[] = [];
  const reply = '\u001b[24;80R';
  const stream = (you: boolean) => ({
    async *[Symbol.asyncIterator]() {
      yield* [
        { kind: 'typist', typist: you ? 'me' : null, you },
        { kind: 'connection', open: true },
      ];
      await new Promise(() => undefined);
    },
    write: (text: string) => typed.push(text) > 0,
    close: () => undefined,
  });
  const linkOf = async (you: boolean) => {
    const line = { connect: () => stream(you) } as unknown as SerialClient;
    const link = new TerminalLine(line, { write: () => undefined }, false);
    await expect.poll(() => link.standing.isOpen).toBe(true);
    return link;
  };
  const looks = await linkOf(false);
  for (const text of [reply, 'a']) looks.type(text);
  expect(typed).toEqual(['a']);
  (await linkOf(true)).type(reply);
  expect(typed).toEqual(['a', reply]);
});

it('says why the line ended', async () => {
  const link = new TerminalLine(lineOf([], new Error('no such line')), { write: () => undefined }, true);
  await expect.poll(() => link.standing).toMatchObject({ isOpen: false, notice: 'no such line' });
});
