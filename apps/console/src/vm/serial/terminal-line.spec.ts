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

it('says why the line ended', async () => {
  const link = new TerminalLine(lineOf([], new Error('no such line')), { write: () => undefined }, true);
  await expect.poll(() => link.standing).toMatchObject({ isOpen: false, notice: 'no such line' });
});
