import { makeTempDir, removeTempDir } from '@qmp-gateway/test-kit';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditLog } from './audit-log.js';
import { Principal } from './principal.js';

const principal = new Principal('token:a', 'a', { level: 'host', vms: ['*'] });
let directory: string;
let troubles: (string | undefined)[];

beforeEach(() => {
  directory = makeTempDir();
  troubles = [];
});
afterEach(() => removeTempDir(directory));

const open = (settings: { file: string; required: boolean }) =>
  new AuditLog(directory, settings, (message) => troubles.push(message));
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
    const ended = (command: string) =>
      audit.command({
        request: {
          ...{ principal, requestId: 'r', entrance: 'rest', vm: 'a', command, arrivedAt: 0 },
          arguments: { kind: 'none' },
        },
        ...{
          target: undefined,
          decision: undefined,
          args: undefined,
          durationMs: 1,
          work: undefined,
          internalFault: false,
        },
        answer: { ok: true, json: '{}', trace: {} },
      });
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
    expect(troubles).toEqual([expect.stringContaining('ENOSPC')]);
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
    expect(troubles).toEqual([expect.stringContaining('ENOSPC'), undefined]);
    await audit.close();
    expect(changes('audit.log')).toEqual(['kept']);
  });
});

it('names the file that cannot be opened', () => {
  expect(() => open({ file: '/nosuch/audit.log', required: false })).toThrow(
    'audit.file: /nosuch/audit.log cannot be opened (ENOENT)',
  );
});
