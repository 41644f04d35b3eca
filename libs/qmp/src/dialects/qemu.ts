import type { Dialect } from './dialect.js';

/** QEMU and the QEMU storage daemon. */
export const qemu = {
  name: 'qemu',
  greets: true,
  byGuest: false,
  // QEMU queues eight requests and then stops reading, out-of-band ones included (QMP_REQ_QUEUE_LEN_MAX).
  window: 8,
  replies: 'id',
  gathers: true,
  lastDescriptorOnly: false,
  messageBytes: null,
  rate: null,
  endIsShutdown: false,
  queryBeforeEnd: null,
  quietBeforeCloseMs: 0,
  silentOnSuccess: new Set(['quit']),
  isSpokenBy: () => false,
  ids: 'number',
  // A message ends with its brace. If QEMU closes with a newline unread, the end of the connection becomes a reset.
  terminator: '',
  capabilities: (greeting) => (greeting.capabilities.includes('oob') ? '{"enable":["oob"]}' : undefined),
  interpret: (outcome) => outcome,
} as const satisfies Dialect;
