import { describe, expect, it } from 'vitest';
import { readBackEnd } from './serial-back-end.js';

describe('the filename of a character device', () => {
  it.each([
    ['disconnected:unix:/p/s0.sock,server=on', { kind: 'socket', path: '/p/s0.sock', held: false }],
    ['unix:/p/s0.sock,server=on', { kind: 'socket', path: '/p/s0.sock', held: true }],
    ['disconnected:unix:/p/s0.sock,server', { kind: 'socket', path: '/p/s0.sock', held: false }],
    ['disconnected:unix:/p/a,b:c,server=on', { kind: 'socket', path: '/p/a,b:c', held: false }],
    ['disconnected:unix:/p/x,server=on,server=on', { kind: 'socket', path: '/p/x,server=on', held: false }],
    ['disconnected:unix:disconnected:unix:/p,server=on', { kind: 'socket', path: 'disconnected:unix:/p', held: false }],
    ['pty:/dev/pts/0', { kind: 'pty', path: '/dev/pts/0' }],
    ['ringbuf', { kind: 'ringbuf' }],
    ['memory', { kind: 'ringbuf' }],
    ['null', { kind: 'none', called: 'null' }],
    ['file', { kind: 'none', called: 'file' }],
    ['mux', { kind: 'none', called: 'mux' }],
    ['', { kind: 'none', called: 'another kind' }],
  ])('%s', (filename, backEnd) => expect(readBackEnd(filename)).toEqual(backEnd));

  it.each([
    'unix:/p/s0.sock',
    'disconnected:unix:/p/s0.sock',
    'disconnected:unix:@name,abstract=on,server=on',
    'disconnected:unix:name,abstract=on,tight=on,server=on',
    'disconnected:tcp:127.0.0.1:4444,server=on',
    'telnet:127.0.0.1:4444,server=on <-> 127.0.0.1:5',
    'fd:22',
  ])('%s has a reason not to be attached to', (filename) =>
    expect(readBackEnd(filename)).toEqual({ kind: 'socket', reason: expect.any(String) }),
  );
});
