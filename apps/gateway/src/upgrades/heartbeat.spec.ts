import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { ManualClock } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { Principal } from '../access/principal.js';
import { Heartbeat } from './heartbeat.js';

let clock: ManualClock;
let valid = true;
let stuck: () => void;
const heartStopped = vi.fn();
const socket = {
  writableLength: 0,
  setTimeout: vi.fn((_ms: number, callback?: () => void) => {
    if (callback !== undefined) stuck = callback;
  }),
};
const client = Object.assign(new EventEmitter(), {
  isPaused: false,
  ping: vi.fn(),
  terminate: vi.fn(),
});

beforeEach(() => {
  clock = new ManualClock();
  vi.clearAllMocks();
  valid = true;
  socket.writableLength = 0;
  client.removeAllListeners();
  const principal = new Principal('p', 'p', { level: 'read', vms: [] }, { stillValid: () => valid });
  new Heartbeat({
    client: client as unknown as WebSocket,
    socket: socket as unknown as Socket,
    principal,
    clock,
    owner: { heartStopped },
  });
});
afterEach(() => {
  client.emit('close');
  expect(clock.pending).toBe(0);
});

describe('Heartbeat', () => {
  it('pings every 20 s and keeps who answers', () => {
    for (let i = 0; i < 10; i++) {
      clock.advance(20_000);
      client.emit('pong');
    }
    expect(client.ping).toHaveBeenCalledTimes(10);
    expect(client.terminate).not.toHaveBeenCalled();
  });

  it('ends who misses two', () => {
    clock.advance(59_000);
    expect(client.terminate).not.toHaveBeenCalled();
    clock.advance(1000);
    expect(client.ping).toHaveBeenCalledTimes(2);
    expect(client.terminate).toHaveBeenCalledTimes(1);
  });

  it('counts no miss while the client has yet to read what was sent before', () => {
    socket.writableLength = 1;
    clock.advance(300_000);
    expect(client.terminate).not.toHaveBeenCalled();
    stuck();
    expect(heartStopped).toHaveBeenCalledWith('too-slow');
  });

  it('waits for a client that is not read because the VM takes no more, but not when it does not read either', () => {
    client.isPaused = true;
    socket.setTimeout.mockClear();
    stuck();
    expect(heartStopped).not.toHaveBeenCalled();
    expect(socket.setTimeout).toHaveBeenCalledTimes(1);
    socket.writableLength = 1;
    stuck();
    expect(heartStopped).toHaveBeenCalledWith('too-slow');
    client.isPaused = false;
  });

  it('ends who is no longer allowed in', () => {
    clock.advance(10_000);
    expect(heartStopped).not.toHaveBeenCalled();
    valid = false;
    clock.advance(5000);
    expect(heartStopped).toHaveBeenCalledWith('credentials-expired');
  });
});
