import { once } from 'node:events';
import { linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { holdPty, holdSerialSocket, type AddressRules } from './serial-address.js';

let directory: string;
let servers: Server[] = [];
const at = (...names: string[]): string => path.join(directory, ...names);

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'serial-'));
  mkdirSync(at('vm'));
  mkdirSync(at('serial'));
  await listen(at('vm', 'qmp'));
});
afterEach(() => {
  for (const server of servers) server.close();
  servers = [];
  rmSync(directory, { recursive: true });
});

async function listen(file: string): Promise<string> {
  const server = createServer();
  servers.push(server);
  server.listen(file);
  await once(server, 'listening');
  return file;
}

function reasonOf(
  file: string,
  rules: Partial<AddressRules> = {},
  endpoint = `unix:${at('vm', 'qmp')}`,
): string | null {
  const address = holdSerialSocket(
    file,
    { endpoint },
    { paths: [], own: { has: () => false }, endpoints: () => [`unix:${at('vm', 'qmp')}`], ...rules },
  );
  if ('reason' in address) return address.reason;
  address.held.release();
  return null;
}

describe('the socket that a VM names for a serial line', () => {
  it('is had beside its monitor', async () => expect(reasonOf(await listen(at('vm', 's0')))).toBeNull());

  it('is had elsewhere only where the settings allow it', async () => {
    const file = await listen(at('serial', 's0.sock'));
    expect(reasonOf(file)).toContain('serials.paths');
    expect(reasonOf(file, { paths: [at('other', '*')] })).toContain('serials.paths');
    expect(reasonOf(file, { paths: [at('serial', '*.sock')] })).toBeNull();
    expect(reasonOf(file, { paths: [file] })).toBeNull();
  });

  it('is nobody’s monitor or agent, however its path is written', async () => {
    const file = await listen(at('vm', 'other'));
    symlinkSync(at('vm'), at('alias'));
    for (const endpoint of [`unix:${file}`, `unix:${at('alias', 'other')}`])
      expect(reasonOf(file, { endpoints: () => ['tcp:127.0.0.1:1', endpoint] })).toContain('a monitor');
    expect(reasonOf(file, { endpoints: () => [`unix:${at('serial', 'other')}`] })).toBeNull();
  });

  it('is not the gateway’s own', async () => {
    expect(reasonOf(await listen(at('vm', 's0')), { own: { has: () => true } })).toContain('own');
  });

  it('is reached by no link', async () => {
    const file = await listen(at('serial', 's0'));
    symlinkSync(file, at('vm', 'symbolic'));
    linkSync(file, at('vm', 'hard'));
    symlinkSync(at('serial'), at('vm', 'directory'));
    expect(reasonOf(at('vm', 'symbolic'))).toContain('link');
    expect(reasonOf(at('vm', 'hard'))).toContain('several names');
    expect(reasonOf(at('vm', 'directory', 's0'), { paths: [`${at('vm')}/*`] })).toContain('link');
    expect(reasonOf(at('vm', '..', 'serial', 's0'), { paths: ['*'] })).toBe(
      reasonOf(at('serial', 's0'), { paths: ['*'] }),
    );
    expect(reasonOf(`${at('vm')}/../vm/qmp`, { paths: ['*'], endpoints: () => [] })).toContain('link');
  });

  it('is a socket, and there', () => {
    writeFileSync(at('vm', 'file'), '');
    expect(reasonOf(at('vm', 'file'))).toContain('something else');
    expect(reasonOf(at('vm', 'gone'))).toContain('does not see it');
  });

  it.each(['relative', '', `/${'x'.repeat(200)}`, '/vm/s0\0'])('is not %j', (file) =>
    expect(reasonOf(file, { paths: ['*'] })).toContain('relative or too long'),
  );

  it('is not had of another host', () => {
    expect(reasonOf(at('vm', 's0'), {}, 'tcp:127.0.0.1:4444')).toContain('another host');
  });

  it('does not belong to another user', async () => {
    const file = await listen(at('vm', 's0'));
    // Of a monitor that is gone nobody knows whose it was.
    renameSync(at('vm', 'qmp'), at('vm', 'moved'));
    expect(reasonOf(file)).toContain('another user');
    symlinkSync('qmp', at('vm', 'qmp'));
    expect(reasonOf(file)).toContain('another user');
  });
});

describe('the pty that a VM names', () => {
  it.each(['/dev/pts/../null', '/dev/tty', '/dev/pts/ptmx', 'pts/0', '/dev/pts/'])('is not %s', (file) => {
    expect(holdPty(file, { endpoint: `unix:${at('vm', 'qmp')}` })).toEqual({
      reason: expect.stringContaining('no pty'),
    });
  });

  it('is not had of another host', () =>
    expect(holdPty('/dev/pts/0', { endpoint: 'tls:h.example.org:1' })).toEqual({
      reason: expect.stringContaining('another host'),
    }));
});
