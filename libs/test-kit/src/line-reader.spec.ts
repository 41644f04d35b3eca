import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { LineReader } from './line-reader.js';

it('ends lines at newlines alone, however the bytes come', async () => {
  const text = Buffer.from('{"a":"\u2028\u2029\u0085\r"}\r\n\n{"b":"ü"}\nno line');
  for (let size = 1; size <= text.length; size++) {
    const input = new PassThrough();
    const reader = new LineReader(input);
    for (let at = 0; at < text.length; at += size) input.write(text.subarray(at, at + size));
    input.end();
    expect(await reader.next()).toBe('{"a":"\u2028\u2029\u0085\r"}');
    expect(await reader.next()).toBe('');
    expect(await reader.next()).toBe('{"b":"ü"}');
    expect(await reader.next()).toBeNull();
  }
});

it('pauses what is not read, and loses nothing', async () => {
  const input = new PassThrough();
  const reader = new LineReader(input);
  const count = 5000;
  for (let line = 0; line < count; line++) input.write(`${line}\n`);
  input.end();
  for (let line = 0; line < count; line++) expect(await reader.next()).toBe(String(line));
  expect(await reader.next()).toBeNull();
});
