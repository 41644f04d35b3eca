import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { GatewayClient, type ExecLine } from '@qmp-gateway/client';
import type { Qemu } from '@qmp-gateway/test-kit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { agentBecomes, AgentScene } from './agent-scene.js';
import type { GatewayProcess } from './gateway-process.js';
import { makeToken } from './gateway-scene.js';
import { exchange, problemOf, type Exchange } from './http-exchange.js';

const lasting = new AgentScene();
const scene = new AgentScene();
let shared: GatewayProcess;

beforeAll(async () => {
  shared = await lasting.gateway();
});
afterEach(() => scene.end());
afterAll(() => lasting.end());

interface Guest {
  readonly gateway: GatewayProcess;
  readonly agent: Qemu;
  /** A directory of the guest, which is this machine. */
  readonly directory: string;
}

async function guest(settings?: object): Promise<Guest> {
  const directory = scene.directory();
  const agent = await scene.guestAgent(directory);
  const sockets = { web: path.join(directory, 'qga') };
  const gateway = await (settings === undefined
    ? scene.registerAgents(shared, sockets)
    : scene.gatewayWithAgents(sockets, settings));
  await agentBecomes(gateway, 'web', 'ready');
  return { gateway, agent, directory };
}

function files(file: string, more = ''): string {
  return `/v1/vms/web/agent/files?path=${encodeURIComponent(file)}${more}`;
}

const binary = { 'Content-Type': 'application/octet-stream' };

function put({ gateway }: Guest, file: string, body: Buffer, headers: object = {}, more = ''): Promise<Exchange> {
  return exchange(gateway, files(file, more), { method: 'PUT', body, headers: { ...binary, ...headers } });
}

/** The whole answer with its trailers, which fetch does not show. */
function get(
  { gateway }: Guest,
  file: string,
): Promise<{ bytes: Buffer; trailers: Record<string, unknown>; status: number }> {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${gateway.token ?? ''}` };
    request(gateway.url + files(file), { headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ bytes: Buffer.concat(chunks), trailers: response.trailers, status: response.statusCode ?? 0 }),
      );
    })
      .on('error', reject)
      .end();
  });
}

/** Files below a directory that the agent holds open. */
function openFiles({ agent, directory }: Guest): string[] {
  const descriptors = `/proc/${String(agent.process.pid)}/fd`;
  return readdirSync(descriptors)
    .map((name) => {
      try {
        return readlinkSync(path.join(descriptors, name));
      } catch {
        return '';
      }
    })
    .filter((target) => target.startsWith(`${directory}/file`));
}

describe('files of the guest', () => {
  it('of 20 MiB are written and read back, and their hashes are equal', async () => {
    const made = await guest();
    const file = path.join(made.directory, 'file with spaces & ünïcode');
    const bytes = randomBytes(20 * 2 ** 20);
    const sha256 = createHash('sha256').update(bytes).digest();
    const digest = `sha-256=:${sha256.toString('base64')}:`;
    const written = await put(made, file, bytes, { 'Content-Digest': digest });
    expect(written.json()).toEqual({ path: file, size: bytes.length, sha256: sha256.toString('hex'), verified: true });
    expect(readFileSync(file).equals(bytes)).toBe(true);
    const read = await get(made, file);
    expect(read.bytes.equals(bytes)).toBe(true);
    expect(read.trailers['content-digest']).toBe(digest);
    expect(openFiles(made)).toEqual([]);
  });

  it('may be empty, may have no size, and replace what was there', async () => {
    const made = await guest();
    const file = path.join(made.directory, 'file');
    writeFileSync(file, 'something longer than what comes');
    expect((await put(made, file, Buffer.from('short'))).json()).toMatchObject({ size: 5 });
    expect(readFileSync(file, 'utf8')).toBe('short');
    expect((await put(made, file, Buffer.alloc(0))).json()).toMatchObject({ size: 0, verified: true });
    const unsized = { 'Content-Length': null, 'Transfer-Encoding': 'chunked' };
    writeFileSync(file, 'something');
    expect((await put(made, file, Buffer.alloc(0), unsized)).json()).toMatchObject({ size: 0, verified: true });
    expect((await get(made, file)).bytes).toHaveLength(0);
    expect((await get(made, '/proc/self/cmdline')).bytes.toString()).toContain('qemu-ga');
    const nowhere = await put(made, '/dev/null', Buffer.from('gone'), {}, '&verify=false');
    expect(nowhere.json()).toMatchObject({ size: 4, verified: false });
  });

  it('that are not to be had are a problem, before any byte of them', async () => {
    const made = await guest({ limits: { fileBytes: '1KiB' } });
    const { gateway, directory } = made;
    const missing = await exchange(gateway, files(path.join(directory, 'nothing')));
    expect(problemOf(missing)).toMatchObject({ status: 422, code: 'command-failed', command: 'guest-file-open' });
    expect(problemOf(await exchange(gateway, files(directory)))).toMatchObject({ command: 'guest-file-read' });
    const unwritable = await put(made, path.join(directory, 'no/such/place'), Buffer.alloc(1000));
    expect(problemOf(unwritable)).toMatchObject({ code: 'command-failed', outcome: 'refused' });
    const file = path.join(directory, 'file');
    expect(problemOf(await put(made, file, Buffer.alloc(1025)))).toMatchObject({ code: 'body-too-large' });
    expect(existsSync(file)).toBe(false);
    const unsized = { 'Content-Length': null, 'Transfer-Encoding': 'chunked' };
    const long = await put(made, file, Buffer.alloc(100_000), unsized);
    // It was opened, and so emptied, before anybody could know.
    expect(problemOf(long)).toMatchObject({ code: 'body-too-large', outcome: 'unknown' });
    const typed = await put(made, file, Buffer.from('{}'), { 'Content-Type': 'application/json' });
    expect(problemOf(typed)).toMatchObject({ status: 415, code: 'unsupported-media-type' });
    for (const query of ['', '?path=', '?path=a&path=b', '?path=a%00b', '?file=a'])
      expect(problemOf(await exchange(gateway, `/v1/vms/web/agent/files${query}`)), query).toMatchObject({
        code: 'invalid-request',
      });
    expect(problemOf(await put(made, file, Buffer.alloc(1), {}, '&verify=maybe'))).toMatchObject({
      code: 'invalid-request',
    });
    expect((await exchange(gateway, files(file), { method: 'DELETE' })).headers['allow']).toBe('GET, PUT');
    expect((await exchange(gateway, files(file), { method: 'HEAD' })).status).toBe(405);
    await expect.poll(() => openFiles(made)).toEqual([]);
  });

  it('that arrive other than announced are told to be wrong', async () => {
    const made = await guest();
    const file = path.join(made.directory, 'file');
    const digest = `sha-256=:${createHash('sha256').update('this').digest('base64')}:`;
    const answer = await put(made, file, Buffer.from('that'), { 'Content-Digest': digest });
    expect(problemOf(answer)).toMatchObject({ code: 'invalid-request', outcome: 'unknown' });
    expect(problemOf(await put(made, file, Buffer.from('that'), { 'Content-Digest': 'md5=:x:' }))).toMatchObject({
      code: 'invalid-request',
      outcome: 'not-sent',
    });
  });

  it('are closed when the reader or the writer leaves half way', async () => {
    const made = await guest();
    const { gateway, directory } = made;
    const file = path.join(directory, 'file');
    writeFileSync(file, randomBytes(30 * 2 ** 20));
    const headers = { Authorization: `Bearer ${gateway.token ?? ''}` };
    await new Promise<void>((resolve, reject) => {
      const reading = request(gateway.url + files(file), { headers, agent: false }, (response) => {
        response.once('data', () => {
          expect(openFiles(made)).toHaveLength(1);
          response.destroy();
          resolve();
        });
      });
      reading.on('error', reject).end();
    });
    while (openFiles(made).length > 0) await exchange(gateway, '/livez');
    const target = path.join(directory, 'file2');
    await new Promise<void>((resolve) => {
      const writing = request(gateway.url + files(target), {
        method: 'PUT',
        headers: { ...headers, ...binary, 'Content-Length': '1000000' },
        agent: false,
      });
      writing.on('error', () => undefined);
      writing.write(randomBytes(200_000));
      const look = (): void => {
        if (existsSync(target) && readFileSync(target).length > 0) {
          writing.destroy();
          resolve();
        } else setImmediate(look);
      };
      look();
    });
    while (openFiles(made).length > 0) await exchange(gateway, '/livez');
  });

  it('are closed also when the agent sleeps while its caller waits, or opens them too late', async () => {
    const made = await guest();
    const { gateway, agent, directory } = made;
    const file = path.join(directory, 'file');
    const closed = () =>
      readFileSync(path.join(gateway.state, 'audit.log'), 'utf8').split('"guest-file-close"').length - 1;
    const before = closed();
    const impatient = { 'Request-Timeout': '100ms' };
    writeFileSync(file, 'something');
    agent.kill('SIGSTOP');
    const late = await exchange(gateway, files(file), { headers: impatient });
    expect(problemOf(late)).toMatchObject({ status: 504, code: 'deadline-exceeded', command: 'guest-file-open' });
    agent.kill('SIGCONT');
    await expect.poll(closed, { timeout: 20_000 }).toBe(before + 1);
    expect(openFiles(made)).toEqual([]);
    const sending = request(gateway.url + files(file), {
      ...{ method: 'PUT', agent: false },
      headers: { ...binary, ...impatient, Authorization: `Bearer ${gateway.token ?? ''}` },
    });
    const answered = new Promise<number | undefined>((resolve, reject) => {
      sending.on('error', reject).on('response', (response) => {
        resolve(response.resume().statusCode);
      });
    });
    sending.write(randomBytes(200_000));
    await expect.poll(() => readFileSync(file).length, { timeout: 10_000 }).toBeGreaterThan(100_000);
    expect(openFiles(made)).toHaveLength(1);
    agent.kill('SIGSTOP');
    sending.end(randomBytes(200_000));
    expect(await answered).toBe(504);
    // Closing it waits for the agent; the caller does not.
    expect((await exchange(gateway, '/v1/vms/web')).json()).not.toMatchObject({ agent: { state: 'silent' } });
    await agentBecomes(gateway, 'web', 'silent');
    agent.kill('SIGCONT');
    await expect.poll(() => openFiles(made), { timeout: 20_000 }).toEqual([]);
  });

  it('are read and written in one session, in time and for real, or not at all', async () => {
    const made = await guest();
    const file = path.join(made.directory, 'file');
    for (const [headers, code] of [
      [{ 'Dry-Run': 'true' }, 'invalid-request'],
      [{ 'Idempotency-Key': 'once' }, 'invalid-request'],
      [{ 'QMP-VM-Epoch': 'another' }, 'epoch-changed'],
    ] as const) {
      expect(problemOf(await put(made, file, Buffer.alloc(1), headers))).toMatchObject({ code, outcome: 'not-sent' });
      expect(existsSync(file)).toBe(false);
      const read = await exchange(made.gateway, files('/proc/self/cmdline'), { headers });
      expect(problemOf(read)).toMatchObject({ code, outcome: 'not-sent' });
    }
  });

  it('need level host, and every command that it takes', async () => {
    const made = await guest();
    const grants = [
      { level: 'configure' as const, vms: ['*'] },
      { level: 'host' as const, vms: ['*'], commands: { deny: ['guest-file-close'] } },
    ];
    for (const grant of grants) {
      const headers = { Authorization: `Bearer ${makeToken(made.gateway, grant)}` };
      const file = path.join(made.directory, 'file');
      expect(problemOf(await exchange(made.gateway, files(file), { headers }))).toMatchObject({ code: 'forbidden' });
      expect(problemOf(await put(made, file, Buffer.alloc(1), headers))).toMatchObject({ code: 'forbidden' });
      expect(existsSync(file)).toBe(false);
    }
  });

  it('are read and written by the typed client, as programs are run', async () => {
    const { gateway, directory } = await guest();
    const client = new GatewayClient({
      url: gateway.url,
      ...(gateway.token === undefined ? {} : { token: gateway.token }),
    });
    const { agent } = client.vm('web');
    expect(await agent.get()).toMatchObject({ state: 'ready' });
    const file = path.join(directory, 'file');
    const bytes = new Uint8Array(randomBytes(3_000_000));
    expect(await agent.writeFile(file, bytes)).toMatchObject({ size: bytes.length, verified: true });
    const parts: Uint8Array[] = [];
    for await (const part of agent.readFile(file)) parts.push(part);
    expect(Buffer.concat(parts).equals(bytes)).toBe(true);
    const lines: ExecLine[] = [];
    for await (const line of agent.exec({ path: '/usr/bin/sha256sum', arg: [file] })) lines.push(line);
    const sum = createHash('sha256').update(bytes).digest('hex');
    expect(lines).toMatchObject([
      { type: 'started' },
      { type: 'output', stream: 'stdout', text: `${sum}  ${file}\n` },
      { type: 'exited', exitCode: 0 },
    ]);
  });
});
