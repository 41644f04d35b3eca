import type { Dialect } from './dialect.js';

/** The QEMU guest agent: no greeting, no events, one command at a time, and maybe nobody there. */
export const guestAgent: Dialect = {
  name: 'guest-agent',
  greets: false,
  byGuest: true,
  window: 1,
  replies: 'order',
  gathers: false,
  messageBytes: null,
  rate: null,
  endIsShutdown: false,
  queryBeforeEnd: null,
  quietBeforeCloseMs: 0,
  silentOnSuccess: new Set(['guest-shutdown', 'guest-suspend-disk', 'guest-suspend-ram', 'guest-suspend-hybrid']),
  terminator: () => '\n',
  capabilities: () => undefined,
  interpret: (outcome) => outcome,
};
