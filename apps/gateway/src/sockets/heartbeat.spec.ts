import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { systemClock } from '@qmp-gateway/qmp';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { Principal } from '../access/principal.js';
import { Heartbeat } from './heartbeat.js';

let valid = true;
let stuck: () => void;
const end = vi.fn();
const socket = { writableLength: 0, setTimeout: (_ms: number, callback: () => void) => (stuck = callback) };
const client = Object.assign(new EventEmitter(), {
  isPaused: false,
  ping: vi.fn(),
  terminate: vi.fn(),
});

beforeEach(() => {
  vi.useFakeTimers();
  vi.clearAllMocks();
  valid = true;
  socket.writableLength = 0;
  client.removeAllListeners();
  const principal = new Principal('p', 'p', { level: 'read', vms: [] }, () => valid);
  new Heartbeat(client as unknown as WebSocket, socket as unknown as Socket, principal, systemClock, end);
});
afterEach(() => {
  client.emit('close');
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('Heartbeat', () => {
  it('pings every 20 s and keeps who answers', () => {
    for (let i = 0; i < 10; i++) {
      vi.advanceTimersByTime(20_000);
      client.emit('pong');
    }
    expect(client.ping).toHaveBeenCalledTimes(10);
    expect(client.terminate).not.toHaveBeenCalled();
  });

  it('ends who misses two', () => {
    vi.advanceTimersByTime(59_000);
    expect(client.terminate).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1000);
    expect(client.ping).toHaveBeenCalledTimes(2);
    expect(client.terminate).toHaveBeenCalledTimes(1);
  });

  it('counts no miss while the client has yet to read what was sent before', () => {
    socket.writableLength = 1;
    vi.advanceTimersByTime(300_000);
    expect(client.terminate).not.toHaveBeenCalled();
    stuck();
    expect(end).toHaveBeenCalledWith('too-slow');
  });

  it('ends who is no longer allowed in', () => {
    vi.advanceTimersByTime(10_000);
    expect(end).not.toHaveBeenCalled();
    valid = false;
    vi.advanceTimersByTime(5000);
    expect(end).toHaveBeenCalledWith('credentials-expired');
  });
});
