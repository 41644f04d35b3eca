import { makeTempDir, ManualClock, removeTempDir } from '@qmp-gateway/test-kit';
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditLog } from './audit-log.js';
import { Principal } from '../principal.js';

const principal = new Principal('token:a', 'a', { level: 'host', vms: ['*'] });
let directory: string;
/** What the observer heard: the error, or `writable`. */
let heard: string[];

beforeEach(() => {
  directory = makeTempDir();
  heard = [];
});
afterEach(() => removeTempDir(directory));

const open = (settings: { file: string; required: boolean }) =>
  new AuditLog(directory, settings, {
    auditUnwritable: (error) => heard.push(error),
    auditWritable: () => heard.push('writable'),
  });
const changes = (file: string) =>
  readFileSync(path.join(directory, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { change: string }).change);

describe('reopening', () => {
  it('loses nothing and writes nothing twice: what came before is in the old file', async () => {
    const audit = open({ file: 'audit.log', required: false });
    audit.change(principal, { requestId: 'r1' }, 'first', {});
    renameSync(audit.path, path.join(directory, 'audit.log.1'));
    const reopened = audit.reopen();
    audit.change(principal, { requestId: 'r2' }, 'second', {});
    await reopened;
    audit.change(principal, { requestId: 'r3' }, 'third', {});
    await audit.close();
    expect([...changes('audit.log.1'), ...changes('audit.log')]).toEqual(['first', 'second', 'third']);
    expect(changes('audit.log')).toContain('third');
  });

  it('keeps the file it has when there is no other to be had', async () => {
    const audit = open({ file: 'audit.log', required: false });
    audit.change(principal, { requestId: 'r1' }, 'first', {});
    await audit.flush();
    Object.defineProperty(audit, 'path', { value: path.join(directory, 'nosuch', 'audit.log') });
    await expect(audit.reopen()).rejects.toThrow(/ENOENT/);
    audit.change(principal, { requestId: 'r2' }, 'second', {});
    await audit.close();
    expect(changes('audit.log')).toEqual(['first', 'second']);
  });
});

describe('what ends in one turn', () => {
  it('is all written, in its order, however much it is', async () => {
    const audit = open({ file: 'audit.log', required: false });
    const ended = (command: string) => audit.addLater({ text: (time) => JSON.stringify({ time, command }) });
    const names = Array.from({ length: 150 }, (_, n) => `c${n}`);
    for (const name of names) ended(name);
    audit.change(principal, undefined, 'after', {});
    ended('last');
    await audit.close();
    const lines = readFileSync(audit.path, 'utf8').trim().split('\n');
    const said = lines.map((line) => JSON.parse(line) as { command?: string; change?: string });
    expect(said.map(({ command, change }) => command ?? change)).toEqual([...names, 'after', 'last']);
  });
});

describe('what is no ASCII', () => {
  it('is whole, wherever it comes, and safe to show', async () => {
    const audit = open({ file: 'audit.log', required: false });
    const said: string[] = [];
    // Of lengths that end pages at every byte.
    for (let n = 0; n < 600; n++) {
      const text = n % 7 === 3 ? `${'€'.repeat(n % 5)}\u007f😀` : 'x'.repeat(211 + (n % 13));
      said.push(text);
      audit.addLater({ text: () => `{"text":"${text}"}` });
      if (n % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await audit.close();
    const written = readFileSync(audit.path, 'utf8');
    expect(written).not.toContain('\u007f');
    const texts = written.trim().split('\n');
    expect(texts.map((line) => (JSON.parse(line) as { text: string }).text)).toEqual(said);
  });
});

it('keeps the lines before one that cannot be made', () => {
  const audit = open({ file: 'audit.log', required: false });
  audit.addLater({ text: () => '{"change":"kept"}' });
  const unmade = () => {
    throw new Error('a fault');
  };
  audit.addLater({ text: unmade });
  expect(() => audit.change(principal, undefined, 'after', {})).toThrow('a fault');
  return audit.close().then(() => expect(changes('audit.log')).toEqual(['kept']));
});

it('writes what has gathered for 20 ms', async () => {
  const clock = new ManualClock();
  const quiet = { auditUnwritable: () => undefined, auditWritable: () => undefined };
  const audit = new AuditLog(directory, { file: 'audit.log', required: false }, quiet, clock);
  audit.change(principal, undefined, 'first', {});
  clock.advance(19);
  audit.change(principal, undefined, 'second', {});
  expect(changes('audit.log')).toEqual([]);
  clock.advance(1);
  await audit.flush();
  expect(changes('audit.log')).toEqual(['first', 'second']);
  expect(readFileSync(audit.path, 'utf8')).toContain('"time":"2023-11-14T22:13:20.000Z"');
  await audit.close();
});

describe('half a line that a crash left', () => {
  it.each([
    ['{"change":"ha', 2],
    ['{"change":"whole"}\n', 1],
    ['', 1],
  ])('%j takes no other line with it', async (left, lines) => {
    writeFileSync(path.join(directory, 'audit.log'), left);
    const audit = open({ file: 'audit.log', required: false });
    audit.change(principal, undefined, 'after', {});
    await audit.close();
    const written = readFileSync(audit.path, 'utf8').slice(left.length);
    expect(
      written
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => (JSON.parse(line) as { change: string }).change),
    ).toEqual(['after']);
    expect(written.split('\n')).toHaveLength(lines + 1);
  });

  it('takes none with it after a rotation either', async () => {
    const audit = open({ file: 'audit.log', required: false });
    audit.change(principal, undefined, 'first', {});
    await audit.flush();
    appendFileSync(audit.path, '{"change":"ha');
    await audit.reopen();
    audit.change(principal, undefined, 'second', {});
    await audit.close();
    const [first, half, second] = readFileSync(audit.path, 'utf8').split('\n');
    expect([first, half, second]).toEqual([
      expect.stringContaining('"first"'),
      '{"change":"ha',
      expect.stringContaining('"second"'),
    ]);
  });
});

// Every write to it fails as on a full disk.
describe.runIf(existsSync('/dev/full'))('a log that cannot be written', () => {
  it.each([
    [true, 'audit-unavailable'],
    [false, undefined],
  ])('refuses commands when it is required: %s', async (required, code) => {
    const audit = open({ file: '/dev/full', required });
    expect(audit.refusal).toBeUndefined();
    for (const request of ['r1', 'r2']) {
      audit.change(principal, { requestId: request }, 'lost', {});
      await audit.flush();
    }
    expect(audit.refusal?.code).toBe(code);
    expect(heard).toEqual([expect.stringContaining('ENOSPC')]);
    await audit.close();
  });

  it('is told of again when it can be written', async () => {
    const audit = open({ file: '/dev/full', required: true });
    audit.change(principal, { requestId: 'r1' }, 'lost', {});
    await audit.flush();
    Object.defineProperty(audit, 'path', { value: path.join(directory, 'audit.log') });
    await audit.reopen();
    audit.change(principal, { requestId: 'r2' }, 'kept', {});
    await audit.flush();
    expect(audit.refusal).toBeUndefined();
    expect(heard).toEqual([expect.stringContaining('ENOSPC'), 'writable']);
    await audit.close();
    expect(changes('audit.log')).toEqual(['kept']);
  });
});

it('names the file that cannot be opened', () => {
  expect(() => open({ file: '/nosuch/audit.log', required: false })).toThrow(
    'audit.file: cannot open /nosuch/audit.log: no such file or directory',
  );
});
