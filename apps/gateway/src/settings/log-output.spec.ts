import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogOutput } from './log-output.js';

let directory: string;
let pipe: string;
const open: number[] = [];

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'log-output-'));
  pipe = path.join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
});
afterEach(() => {
  for (const file of open.splice(0)) closeSync(file);
  rmSync(directory, { recursive: true });
});

function opened(flags: number): number {
  const file = openSync(pipe, flags);
  open.push(file);
  return file;
}

const reader = (): number => opened(constants.O_RDONLY | constants.O_NONBLOCK);

function leave(file: number): void {
  closeSync(file);
  open.splice(open.indexOf(file), 1);
}

/** What has come so far. */
function read(file: number): string {
  const bytes = Buffer.alloc(2 ** 21);
  try {
    return bytes.subarray(0, readSync(file, bytes)).toString();
  } catch {
    return ''; // Nothing yet.
  }
}

async function next(file: number): Promise<string> {
  for (;;) {
    const text = read(file);
    if (text !== '') return text;
    await delay(5);
  }
}

describe('the log', () => {
  it('is written in order, whole', async () => {
    const file = reader();
    const output = new LogOutput(opened(constants.O_WRONLY));
    output.write('one\n');
    output.write('two\n');
    output.write('three\n');
    let come = '';
    while (!come.endsWith('three\n')) come += await next(file);
    expect([come, output.lost]).toEqual(['one\ntwo\nthree\n', 0]);
  });

  it('whose reader is gone loses lines, and says how many to the next one', async () => {
    const file = reader();
    const output = new LogOutput(opened(constants.O_WRONLY));
    output.write('one\n');
    expect(await next(file)).toBe('one\n');
    leave(file);
    output.write('two\n');
    while (output.lost === 0) await delay(5);
    output.write('three\n');
    expect(output.lost).toBe(2);
    const another = reader();
    await delay(1050);
    output.write('four\n');
    const [report = '', line] = (await next(another)).split('\n');
    expect(JSON.parse(report)).toMatchObject({ level: 40, lines: 2, msg: 'lines of the log were lost' });
    expect(line).toBe('four');
  });

  it('whose reader stands still holds a bounded number of lines, and does not hold up the end', async () => {
    const file = reader();
    const output = new LogOutput(opened(constants.O_WRONLY));
    const line = `${'x'.repeat(9_999)}\n`;
    for (let n = 0; n < 300; n++) output.write(line);
    await delay(200);
    const { lost } = output;
    expect(lost).toBeGreaterThan(150);
    // Would it wait for the reader, it would wait for ever.
    output.flushSync();
    expect(read(file).startsWith(line)).toBe(true);
  });
});
