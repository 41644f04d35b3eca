import type { Dialect } from './dialect.js';

/** The QEMU guest agent: no greeting, no events, one command at a time, and possibly no agent in the guest. */
export const guestAgent = {
  name: 'guest-agent',
  greets: false,
  byGuest: true,
  window: 1,
  replies: 'order',
  gathers: false,
  lastDescriptorOnly: false,
  messageBytes: null,
  rate: null,
  endIsShutdown: false,
  queryBeforeEnd: null,
  quietBeforeCloseMs: 0,
  silentOnSuccess: new Set(['guest-shutdown', 'guest-suspend-disk', 'guest-suspend-ram', 'guest-suspend-hybrid']),
  isSpokenBy: () => false,
  // Replies that the agent wrote for others can come at any time.
  ids: 'text',
  // Not all agents are QEMU's own, and some read lines.
  terminator: '\n',
  capabilities: () => undefined,
  interpret: (outcome) => outcome,
} as const satisfies Dialect;
