import { describe, expect, it } from 'vitest';
import { FileTooLarge, readWholeFile, textOfFile } from './file-reading.js';

const bytesOf = (text: string) => new TextEncoder().encode(text);
async function* parts(...all: Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const part of all) yield await Promise.resolve(part);
}

describe('a file of the guest', () => {
  it('is its parts, and how much there is so far', async () => {
    const told: number[] = [];
    const file = await readWholeFile('/etc/motd', parts(bytesOf('hel'), bytesOf('lo')), (bytes) => told.push(bytes));
    expect([file.path, file.bytes, told]).toEqual(['/etc/motd', 5, [3, 5]]);
    expect(textOfFile(file)).toEqual({ text: 'hello', cut: false });
  });

  it('may be more than a page holds', async () => {
    const read = readWholeFile('/dev/zero', parts(bytesOf('12345'), bytesOf('6')), () => undefined, 5);
    await expect(read).rejects.toThrow(FileTooLarge);
  });

  it('is shown as text only where it is text', () => {
    const file = (bytes: Uint8Array<ArrayBuffer>) => ({ parts: [bytes], bytes: bytes.length });
    expect(textOfFile(file(new Uint8Array([0x7f, 0x45, 0, 1])))).toBeUndefined();
    expect(textOfFile(file(new Uint8Array([0xff, 0xfe, 0x41])))).toBeUndefined();
    expect(textOfFile(file(new Uint8Array()))).toEqual({ text: '', cut: false });
    const long = bytesOf('é'.repeat(200_000));
    const shown = textOfFile(file(long));
    expect([shown?.cut, shown?.text.length]).toEqual([true, 131_072]);
    expect(textOfFile(file(bytesOf('a' + 'é'.repeat(200_000))))?.text.length).toBe(131_072);
  });
});
