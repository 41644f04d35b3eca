import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentBecomes, AgentScene } from '../agent-scene.js';
import { GatewayScene } from '../gateway-scene.js';
import { clientHome, inHome, runClient, type ClientHome, type ClientResult } from './client-process.js';

const lasting = new GatewayScene();
const scene = new AgentScene();
let home: ClientHome;
const qmpctl = (...args: string[]): Promise<ClientResult> => runClient(scene, home, args);

beforeAll(async () => {
  const directory = scene.directory();
  await scene.guestAgent(directory);
  const gateway = await scene.registerAgents(await lasting.gateway(), { web: path.join(directory, 'qga') });
  await agentBecomes(gateway, 'web', 'ready');
  home = clientHome(scene, gateway);
});
afterAll(async () => {
  // It forgets its VMs at the gateway.
  await scene.end();
  await lasting.end();
});

describe('agent exec', () => {
  it('has the status and the streams of the program: code 3, 5 MB', async () => {
    const script = 'yes "0123456789äbcd" | head -c 5000000; echo oops >&2; exit 3';
    const { status, stdout, stderr } = await qmpctl('agent', 'exec', 'web', '--', '/bin/sh', '-c', script);
    expect([status, stderr]).toEqual([3, 'oops\n']);
    const expected = Buffer.alloc(5_000_000, '0123456789äbcd\n');
    expect(createHash('sha256').update(stdout).digest('hex')).toBe(
      createHash('sha256').update(expected.toString()).digest('hex'),
    );
  });

  it('passes input, environment and arguments as they are, and tells a signal as shells do', async () => {
    const words = [
      'agent',
      'exec',
      'web',
      '-i',
      '--env',
      'A=ä b',
      '--',
      '/bin/sh',
      '-c',
      'cat; printf "|$A|$1"',
      'sh',
      '--debug',
    ];
    expect(await runClient(scene, home, words, 'naïve\n')).toEqual({
      status: 0,
      stdout: 'naïve\n|ä b|--debug',
      stderr: '',
    });
    expect((await qmpctl('agent', 'exec', 'web', '--', '/bin/sh', '-c', 'kill -9 $$')).status).toBe(137);
  });

  it('that cannot run it says so in one line', async () => {
    const missing = await qmpctl('agent', 'exec', 'web', '--', '/no/such/program');
    expect([missing.status, missing.stdout]).toEqual([1, '']);
    expect(missing.stderr).toMatch(/^qmpctl: .*\/no\/such\/program[^\n]*\n$/);
    expect((await qmpctl('agent', 'exec', 'web')).status).toBe(2);
  });
});

describe('agent cp', () => {
  it('copies into the guest and out of it, byte for byte', async () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7) % 256));
    const [here, there, back] = ['here.bin', 'there.bin', 'back.bin'].map((name) => inHome(home, name));
    writeFileSync(here!, bytes);
    expect(await qmpctl('agent', 'cp', here!, `web:${there!}`)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(await qmpctl('agent', 'cp', `web:${there!}`, back!)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(readFileSync(back!).equals(bytes)).toBe(true);
    writeFileSync(here!, 'text\n');
    await qmpctl('agent', 'cp', here!, `web:${there!}`);
    expect((await qmpctl('agent', 'cp', `web:${there!}`, '-')).stdout).toBe('text\n');
  });

  it('leaves nothing half-written', async () => {
    const { status, stderr } = await qmpctl('agent', 'cp', 'web:/no/such/file', inHome(home, 'never'));
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^qmpctl: [^\n]+\n$/)]);
    expect(() => readFileSync(inHome(home, 'never'))).toThrow('ENOENT');
    expect((await qmpctl('agent', 'cp', 'a', 'b')).status).toBe(2);
  });
});

describe('agent run, agent info', () => {
  it('run a command of the agent by its own model, and say what it offers', async () => {
    const opened = await qmpctl('agent', 'run', 'web', 'guest-file-open', 'path=/dev/null', 'mode=r', '-o', 'jsonl');
    expect([opened.status, opened.stdout]).toEqual([0, expect.stringMatching(/^\d+\n$/)]);
    const closed = await qmpctl('agent', 'run', 'web', 'guest-file-close', `handle=${opened.stdout.trim()}`);
    expect(closed).toMatchObject({ status: 0, stdout: '{}\n' });
    expect((await qmpctl('agent', 'info', 'web')).stdout).toMatch(/^state: +ready\n/);
  });
});
