import { describe, expect, it } from 'vitest';
import { ReadBuffers } from './read-buffers.js';

/** A socket that reads these bytes, as Node's does: into the buffer that the option gives. */
function socketOf(buffers: ReadBuffers) {
  const option = buffers.onread;
  return (length: number, byte: number): void => {
    const memory = typeof option.buffer === 'function' ? option.buffer() : option.buffer;
    memory.fill(byte, 0, length);
    option.callback(length, memory);
  };
}

describe('the memory that a display is read into', () => {
  it('is not written again before it is released, and then used again', () => {
    const buffers = new ReadBuffers();
    const pieces: { piece: Buffer; release: () => void }[] = [];
    buffers.readBy((piece, release) => pieces.push({ piece, release }));
    const read = socketOf(buffers);
    for (const byte of [1, 2, 3]) read(60_000, byte);
    expect(pieces.map(({ piece }) => [piece.length, piece[0], piece.at(-1)])).toEqual([
      ...[
        [60_000, 1, 1],
        [60_000, 2, 2],
        [60_000, 3, 3],
      ],
    ]);
    pieces[0]?.release();
    read(60_000, 4);
    read(60_000, 5);
    expect(pieces[4]?.piece.buffer).toBe(pieces[0]?.piece.buffer);
    expect(pieces[3]?.piece.buffer).not.toBe(pieces[0]?.piece.buffer);
  });

  it('is copied for small pieces, which would hold a buffer each', () => {
    const buffers = new ReadBuffers();
    const pieces: Buffer[] = [];
    buffers.readBy((piece) => pieces.push(piece));
    const read = socketOf(buffers);
    for (const byte of [1, 2, 3]) read(100, byte);
    expect(pieces.map((piece) => piece[0])).toEqual([1, 2, 3]);
  });
});
