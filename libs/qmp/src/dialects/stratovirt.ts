import type { Outcome } from '../execution.js';
import { asText, parsedJson } from '../peer-json.js';
import type { Greeting } from '../session-info.js';
import type { Dialect } from './dialect.js';

/** StratoVirt names an unknown command by listing all it knows; a bad enum value in arguments lists others. */
const unknownCommand = /^unknown variant `[^`]*`, expected one of `qmp_capabilities`/;

/** Commands that answer a plain string with success where the machine lacks the feature. */
const answersUnsupported: ReadonlySet<string> = new Set([
  'netdev_replace',
  'netlink_set',
  'switch-audio-record',
  'cameradev_add',
  'cameradev_del',
]);

/**
 * StratoVirt reads whatever has arrived as exactly one document: one message in flight, one write each, 8,192 bytes at
 * most, and about 100 a second.
 */
export const stratovirt: Dialect = {
  name: 'stratovirt',
  greets: true,
  byGuest: false,
  window: 1,
  replies: 'order',
  gathers: false,
  messageBytes: 8192,
  rate: { perSecond: 90, burst: 100 },
  endIsShutdown: true,
  // At the end of a tcp stream it looks at errno, which that did not set: what a failed command left there is a panic, and
  // the end of the guest. A query that succeeds leaves EAGAIN. A reset, and the end of a unix socket, come as a hang-up.
  queryBeforeEnd: 'query-status',
  // A client that leaves while an event is queued ends events for all later clients.
  quietBeforeCloseMs: 100,
  silentOnSuccess: new Set(['quit']),
  terminator: () => '',
  capabilities: () => undefined,
  interpret(outcome, command) {
    if (outcome.kind === 'error') {
      if (outcome.class === 'OperationThrottled') return null;
      return unknownCommand.test(outcome.desc) ? { ...outcome, class: 'CommandNotFound' } : outcome;
    }
    return answersUnsupported.has(command) ? unsupportedAsError(outcome) : outcome;
  },
};

export function isStratovirt(greeting: Greeting): boolean {
  return greeting.package.startsWith('StratoVirt-');
}

function unsupportedAsError(outcome: Outcome): Outcome {
  if (outcome.kind !== 'return' || outcome.value[0] !== 0x22) return outcome;
  const text = asText(parsedJson(outcome.value));
  if (text?.endsWith(' not supported for VM') !== true) return outcome;
  return { kind: 'error', class: 'GenericError', desc: text };
}
