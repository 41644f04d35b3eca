import type { Settlement } from '../execution.js';
import { asText, parsedJson } from '../peer-json.js';
import type { Dialect } from './dialect.js';

/**
 * StratoVirt reports an unknown command by listing all it knows; a wrong enum value in arguments gives a list of other
 * values.
 */
const unknownCommand = /^unknown variant `[^`]*`, expected one of `qmp_capabilities`/;

/** Commands that return a plain string as success if the machine lacks the feature. */
const answersUnsupported: ReadonlySet<string> = new Set([
  'netdev_replace',
  'netlink_set',
  'switch-audio-record',
  'cameradev_add',
  'cameradev_del',
]);

/**
 * StratoVirt parses everything that has arrived as one document: one message in flight, one write for each, 8,192 bytes
 * at most, and about 100 a second.
 */
export const stratovirt = {
  name: 'stratovirt',
  greets: true,
  byGuest: false,
  window: 1,
  replies: 'order',
  gathers: false,
  lastDescriptorOnly: true,
  messageBytes: 8192,
  rate: { perSecond: 90, burst: 100 },
  endIsShutdown: true,
  // At the end of a tcp stream StratoVirt reads errno, which the end does not set: the value that a failed command left
  // there makes it panic, which ends the guest. A successful query leaves EAGAIN there. A reset, and the end of a unix
  // socket, arrive as a hang-up.
  queryBeforeEnd: 'query-status',
  // If a client disconnects while an event is queued, later clients get no events.
  quietBeforeCloseMs: 100,
  silentOnSuccess: new Set(['quit']),
  isSpokenBy: (greeting) => greeting.package.startsWith('StratoVirt-'),
  // It takes no others, and the reply to `qmp_capabilities` has no id. It reads in one go what has arrived.
  ids: 'text',
  terminator: '',
  capabilities: () => undefined,
  interpret(settlement, command) {
    if (settlement.kind === 'error') {
      if (settlement.class === 'OperationThrottled') return null;
      return unknownCommand.test(settlement.desc) ? { ...settlement, class: 'CommandNotFound' } : settlement;
    }
    return answersUnsupported.has(command) ? unsupportedAsError(settlement) : settlement;
  },
} as const satisfies Dialect;

function unsupportedAsError(settlement: Settlement): Settlement {
  if (settlement.kind !== 'return' || settlement.value[0] !== 0x22) return settlement;
  const text = asText(parsedJson(settlement.value));
  if (text?.endsWith(' not supported for VM') !== true) return settlement;
  return { kind: 'error', class: 'GenericError', desc: text };
}
