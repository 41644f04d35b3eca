import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { QmpEvent, SessionInfo } from '@qmp-gateway/qmp';
import { RawQmpClient, Scene, blockingFifo, floodBootSector, probe } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';

/** Microseconds. */
function timeOf({ timestamp }: QmpEvent): number {
  const { seconds, microseconds } = JSON.parse(timestamp) as { seconds: number; microseconds: number };
  return seconds * 1e6 + microseconds;
}

/** Resolves when the process has used processor time for 100 ms since the call. */
async function busy(pid: number): Promise<void> {
  const ticks = (): number => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
    return Number(fields[11]) + Number(fields[12]);
  };
  const began = ticks();
  while (ticks() < began + 10) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Null when the backlog of the socket is full. */
async function connectOrNull(socket: string): Promise<RawQmpClient | null> {
  try {
    return await RawQmpClient.connect(socket);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return null;
    throw error;
  }
}

const scene = new Scene();

afterEach(() => scene.end());

describe('a session with a real QEMU', () => {
  it('negotiates oob, runs commands and delivers events in their order', async () => {
    const qemu = await scene.qemu();
    const { monitor, host } = await scene.ready(qemu.socket);
    expect(host.states.at(-1)).toMatchObject({
      session: { oob: true, dialect: 'qemu', greeting: { version: { major: expect.any(Number) } } },
    });
    const raw = await monitor.run('query-status', undefined, { deadlineMs: 10_000 });
    expect(raw.kind === 'return' && raw.value.toString()).toMatch(/^\{"status": "prelaunch".*\}$/);
    expect((await probe(monitor, 'cont').outcome).kind).toBe('return');
    expect((await probe(monitor, 'stop').outcome).kind).toBe('return');
    await host.until(() => host.events.length >= 2);
    expect(host.eventNames).toEqual(['RESUME', 'STOP']);
    expect(JSON.parse(host.events[0]!.event.timestamp)).toMatchObject({ seconds: expect.any(Number) });
    expect(await probe(monitor, 'nope').outcome).toMatchObject({ kind: 'error', class: 'CommandNotFound' });
    expect(host.anomalies).toEqual([]);
  });

  it('keeps 64-bit integers digit for digit', async () => {
    const qemu = await scene.qemu();
    const { monitor } = await scene.ready(qemu.socket);
    const argumentsJson = '{"qom-type":"iothread","id":"io","poll-max-ns":9223372036854775807}';
    expect((await probe(monitor, 'object-add', { argumentsJson }).outcome).kind).toBe('return');
    const { value } = (await probe(monitor, 'query-iothreads').outcome) as { value: Buffer };
    expect(value.toString()).toContain('"poll-max-ns": 9223372036854775807');
  });

  it('succeeds at quit twenty times in twenty', async () => {
    for (let count = 0; count < 20; count++) {
      const qemu = await scene.qemu();
      const { monitor, host } = await scene.ready(qemu.socket);
      expect(await probe(monitor, 'quit').outcome).toEqual({ kind: 'return', value: Buffer.from('{}') });
      expect((await host.reached(monitor, 'closed')).lastError.code).toBe('shutdown');
      await qemu.ended;
      await monitor.stop();
    }
  });

  it('is an end at SIGTERM, a loss at SIGKILL, and ready again at the same path', async () => {
    const directory = scene.directory();
    const first = await scene.qemu({ directory });
    const { monitor, host } = await scene.ready(first.socket);
    first.kill('SIGTERM');
    await host.reached(monitor, 'closed');
    expect(host.eventNames).toEqual(['SHUTDOWN']);
    const second = await scene.qemu({ directory });
    await host.reached(monitor, 'ready');
    second.kill('SIGKILL');
    // A reset, if the newline after our last command was still unread.
    expect((await host.reached(monitor, 'waiting')).lastError.code).toMatch(/^connection-(?:lost|reset)$/);
    await second.ended;
    await host.until(() => monitor.lastError?.code === 'refused');
    await scene.qemu({ directory });
    await host.reached(monitor, 'ready');
  });

  it('calls eight commands in flight unknown when QEMU is killed', async () => {
    const qemu = await scene.qemu();
    const { monitor } = await scene.ready(qemu.socket);
    qemu.kill('SIGSTOP');
    const commands = Array.from({ length: 8 }, () => probe(monitor, 'query-status'));
    await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(commands.every(({ written }) => written())).toBe(true);
    qemu.kill('SIGKILL');
    const kinds = (await Promise.all(commands.map(({ outcome }) => outcome))).map(({ kind }) => kind);
    expect(kinds).toEqual(Array.from({ length: 8 }, () => 'unknown'));
  });

  it('is busy while another client holds the monitor or waits for it, and ready when they have gone', async () => {
    const qemu = await scene.qemu();
    const holder = await RawQmpClient.connect(qemu.socket);
    await holder.negotiate();
    const { monitor, host } = scene.monitor(qemu.socket, { handshakeTimeoutMs: 300 });
    monitor.start();
    expect((await host.reached(monitor, 'busy')).lastError.code).toBe('no-greeting');
    await monitor.stop();
    const waiting: RawQmpClient[] = [];
    for (let client = await connectOrNull(qemu.socket); client !== null; client = await connectOrNull(qemu.socket)) {
      waiting.push(client);
    }
    const crowded = scene.monitor(qemu.socket);
    crowded.monitor.start();
    expect((await crowded.host.reached(crowded.monitor, 'busy')).lastError.code).toBe('backlog-full');
    for (const client of [...waiting, holder]) client.close();
    await crowded.host.reached(crowded.monitor, 'ready');
  });

  it('drops the reply to a former client that arrives in its handshake', async () => {
    const qemu = await scene.qemu({ machine: 'pc' });
    const former = await RawQmpClient.connect(qemu.socket);
    await former.negotiate();
    const dump = '{"execute":"human-monitor-command","arguments":{"command-line":"xp /1000000xb 0"},"id":"mon-2"}';
    former.write(`${dump}\n`);
    // QEMU has to be at it when we leave: a queued command is dropped with its client, a running one is not.
    await busy(qemu.process.pid ?? 0);
    former.close();
    const { monitor, host } = await scene.ready(qemu.socket, { handshakeTimeoutMs: 20_000 });
    const value = await monitor.run('query-status', undefined, { deadlineMs: 10_000 });
    expect(value).toMatchObject({ kind: 'return' });
    expect(host.anomalies).toHaveLength(1);
    expect(host.anomalies[0]).toMatchObject({
      kind: 'foreign-reply',
      detail: expect.stringMatching(/^[0-9]{7,} bytes$/),
    });
  });

  it('is slow while the main loop is blocked, lets out-of-band commands pass, and recovers', async () => {
    const qemu = await scene.qemu({ machine: 'pc' });
    const fifo = blockingFifo(qemu.directory);
    const { monitor, host } = await scene.ready(qemu.socket);
    const argumentsJson = JSON.stringify({ val: 0, size: 4096, filename: fifo.path });
    const blocked = probe(monitor, 'pmemsave', { argumentsJson });
    const waiting = probe(monitor, 'query-status');
    await host.until(() => monitor.health === 'slow');
    expect((await probe(monitor, 'query-yank', { outOfBand: true }).outcome).kind).toBe('return');
    fifo.release();
    expect((await waiting.outcome).kind).toBe('return');
    await blocked.outcome;
    expect(monitor.health).toBe('ok');
    expect(host.healths).toEqual(['ok', 'slow', 'ok']);
  });

  it('is unresponsive while stopped, and recovers', async () => {
    const qemu = await scene.qemu();
    const { monitor, host } = await scene.ready(qemu.socket);
    qemu.kill('SIGSTOP');
    const { outcome } = probe(monitor, 'query-status');
    await host.until(() => monitor.health === 'unresponsive');
    qemu.kill('SIGCONT');
    expect((await outcome).kind).toBe('return');
    expect(monitor.health).toBe('ok');
  });

  it('connects again and again under a flood of events', async () => {
    const directory = scene.directory();
    writeFileSync(path.join(directory, 'flood.img'), floodBootSector());
    const qemu = await scene.qemu({
      machine: 'pc',
      accel: 'tcg',
      args: ['-device', 'pvpanic', '-drive', `if=floppy,format=raw,file=${path.join(directory, 'flood.img')}`],
    });
    const starter = await scene.ready(qemu.socket);
    await probe(starter.monitor, 'cont').outcome;
    await starter.host.until(() => starter.host.events.length > 1000);
    await starter.monitor.stop();
    let early = 0;
    for (let count = 0; count < 300; count++) {
      const { monitor, host } = await scene.ready(qemu.socket);
      expect((await probe(monitor, 'query-status').outcome).kind).toBe('return');
      await host.until(() => host.events.length > 0);
      expect(host.stateNames).toEqual(['connecting', 'negotiating', 'ready']);
      const { session } = host.states.at(-1) as { session: SessionInfo };
      expect(host.events.every((told) => told.session === session)).toBe(true);
      const times = host.events.map(({ event }) => timeOf(event));
      expect(times).toEqual([...times].sort((a, b) => a - b));
      if (host.events.some(({ event }) => event.receivedAt < session.negotiatedAt)) early++;
      await monitor.stop();
    }
    // QEMU broadcasts to a monitor before its new session is set up: a good part of the sessions began with events.
    expect(early).toBeGreaterThan(0);
  });
});
