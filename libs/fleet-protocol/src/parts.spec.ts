import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PartHead } from './exchange-heads.js';
import { onePartBytes, partBytes, PartReceiver, PartSender, partWindow } from './parts.js';

type BytesHead = Extract<PartHead, { kind: 'bytes' }>;
interface Part {
  readonly head: BytesHead;
  readonly bytes: Uint8Array;
}

/** A sender whose parts lie here until somebody takes them. */
class SentParts {
  readonly parts: Part[] = [];
  drained = 0;
  readonly sender: PartSender;

  constructor(isHashed = true) {
    this.sender = new PartSender(
      (head, bytes) => this.parts.push({ head, bytes: Uint8Array.from(bytes) }),
      isHashed,
      () => this.drained++,
    );
  }

  /** Gives all parts to a receiver that uses each at once. @returns the bytes, and what the last part meant */
  receive(receiver = new PartReceiver(true)): { bytes: Buffer; end: string | undefined } {
    const pieces: Uint8Array[] = [];
    let end: string | undefined;
    for (let part; (part = this.parts.shift()) !== undefined;) {
      end = receiver.receive(part.head, part.bytes);
      pieces.push(part.bytes);
      const count = receiver.used();
      if (count !== undefined) this.sender.taken(count);
    }
    return { bytes: Buffer.concat(pieces), end };
  }
}

describe('the parts of one direction', () => {
  it('hold together what was written, in order', () => {
    const piece = fc.uint8Array({ minLength: 0, maxLength: 400_000 });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const sent = new SentParts();
        for (const bytes of pieces) sent.sender.write(bytes);
        sent.sender.end();
        const { bytes, end } = sent.receive();
        expect(end).toBe('last');
        expect(bytes.equals(Buffer.concat(pieces))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('are one where what is whole is short', () => {
    const sent = new SentParts();
    sent.sender.end(new Uint8Array(onePartBytes));
    expect(sent.parts).toHaveLength(1);
    expect(sent.parts[0]?.head).toEqual({ kind: 'bytes', index: 0, last: { bytes: onePartBytes } });
    expect(sent.receive().end).toBe('last');
  });

  it('are never more than the other side has room for', () => {
    const sent = new SentParts();
    expect(sent.sender.write(new Uint8Array(partBytes * partWindow * 3))).toBe(false);
    expect(sent.parts).toHaveLength(partWindow);
    sent.sender.taken(2);
    expect(sent.parts).toHaveLength(partWindow + 2);
    // Neither less than before nor more than was sent.
    sent.sender.taken(1);
    sent.sender.taken(1000);
    expect(sent.parts).toHaveLength(partWindow + 2);
    for (let count = 3; sent.drained === 0; count++) sent.sender.taken(count);
    expect(sent.parts).toHaveLength(partWindow * 3);
    expect(sent.sender.write(new Uint8Array(1))).toBe(false);
  });

  it('are wrong when one is missing, comes twice, or is another than was sent', () => {
    const parts = (): Part[] => {
      const sent = new SentParts();
      sent.sender.write(new Uint8Array(partBytes * 3));
      sent.sender.end();
      return sent.parts;
    };
    const meaning = (given: readonly Part[]) => {
      const receiver = new PartReceiver(true);
      const meanings = given.map(({ head, bytes }) => receiver.receive(head, bytes));
      return meanings.includes('wrong') ? 'wrong' : meanings.at(-1);
    };
    const all = parts();
    expect(meaning(all)).toBe('last');
    expect(meaning(all.toSpliced(1, 1))).toBe('wrong');
    expect(meaning([all[0] as Part, ...all])).toBe('wrong');
    const changed = all.map(({ head, bytes }, at) => ({ head, bytes: at === 1 ? bytes.map(() => 1) : bytes }));
    expect(meaning(changed)).toBe('wrong');
    const shorter = all.map(({ head, bytes }, at) => ({ head, bytes: at === 1 ? bytes.subarray(1) : bytes }));
    expect(meaning(shorter)).toBe('wrong');
  });

  it('beyond the window are wrong: nobody keeps more than that', () => {
    const receiver = new PartReceiver(false);
    for (let index = 0; index < partWindow; index++)
      expect(receiver.receive({ kind: 'bytes', index }, Uint8Array.of(1))).toBe('more');
    expect(receiver.receive({ kind: 'bytes', index: partWindow }, Uint8Array.of(1))).toBe('wrong');
  });

  it('of those who speak on as long as they like have no hash', () => {
    const sent = new SentParts(false);
    sent.sender.write(Uint8Array.of(1));
    sent.sender.end(Uint8Array.of(2));
    expect(sent.parts.at(-1)?.head.last).toEqual({ bytes: 2 });
    expect(sent.receive(new PartReceiver(false)).end).toBe('last');
  });
});
