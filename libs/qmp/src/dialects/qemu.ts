import type { Dialect } from './dialect.js';

/** QEMU and the QEMU storage daemon. */
export const qemu: Dialect = {
  name: 'qemu',
  greets: true,
  byGuest: false,
  // QEMU queues eight requests and then stops reading, out-of-band ones included (QMP_REQ_QUEUE_LEN_MAX).
  window: 8,
  replies: 'id',
  gathers: true,
  messageBytes: null,
  rate: null,
  endIsShutdown: false,
  queryBeforeEnd: null,
  quietBeforeCloseMs: 0,
  silentOnSuccess: new Set(['quit']),
  // A newline QEMU has not read when it closes turns the end of the connection into a reset.
  terminator: (command) => (command === 'quit' ? '' : '\n'),
  capabilities: (greeting) => (greeting.capabilities.includes('oob') ? '{"enable":["oob"]}' : undefined),
  interpret: (outcome) => outcome,
};

export const storageDaemon: Dialect = { ...qemu, name: 'storage-daemon' };
