import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { GatheringWriter } from './gathering-writer.js';

/** Notes each piece that reaches the socket: what is written together comes together. */
function socket(): { writes: string[]; stream: Duplex } {
  const writes: string[] = [];
  const stream = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      writes.push(chunk.toString());
      done();
    },
    writev(chunks, done) {
      writes.push(chunks.map(({ chunk }) => String(chunk)).join(''));
      done();
    },
  });
  return { writes, stream };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('GatheringWriter', () => {
  it('writes once what gathers in a turn', async () => {
    const { writes, stream } = socket();
    const writer = new GatheringWriter(stream);
    writer.gather(Buffer.from('a'), Buffer.from('b'));
    writer.gather(Buffer.from('c'));
    expect(writer.unsent).toBe(3);
    expect(writes).toEqual([]);
    await nextTurn();
    expect(writes).toEqual(['abc']);
    expect(writer.unsent).toBe(0);
  });

  it('keeps the order of what is gathered and what is written at once', async () => {
    const { writes, stream } = socket();
    const writer = new GatheringWriter(stream);
    writer.gather(Buffer.from('answer'));
    writer.write(Buffer.from('event'));
    writer.gather(Buffer.from('answer'));
    await nextTurn();
    expect(writes).toEqual(['answer', 'event', 'answer']);
  });

  it('writes large parts together without copying them into one', async () => {
    const { writes, stream } = socket();
    const writer = new GatheringWriter(stream);
    const large = 'x'.repeat(100_000);
    writer.gather(Buffer.from('<'), Buffer.from(large), Buffer.from('>'));
    await nextTurn();
    expect(writes.join('')).toBe(`<${large}>`);
    expect(writes).toHaveLength(1);
  });

  it.each([
    ['its own end', (writer: GatheringWriter) => writer.end()],
    ['that of the socket', (_: GatheringWriter, stream: Duplex) => stream.end()],
  ])('forgets what comes after %s', async (_, end) => {
    const { writes, stream } = socket();
    const writer = new GatheringWriter(stream);
    end(writer, stream);
    writer.gather(Buffer.from('late'));
    writer.write(Buffer.from('later'));
    await nextTurn();
    expect(writes).toEqual([]);
  });
});
