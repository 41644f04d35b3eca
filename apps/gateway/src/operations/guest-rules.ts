import { asNumber, asObject, asText, returnedList, returnedObject } from '@qmp-gateway/qmp';
import type { CompletionRule } from './completion-rule.js';

/** Where devices with an id are in the QOM tree; `device_del` takes a whole path as well. */
const peripheral = '/machine/peripheral/';
const pathOf = (subject: string) => (subject.startsWith('/') ? subject : peripheral + subject);

/** `_OST` of ACPI 6.3.5: what the status of an eject request is not a refusal for: success, and still at it. */
const ejectGoesOn = new Set([0, 0x84]);
const ejectRequest = new Set([3, 0x103]);

/** The guest lets a device go, refuses, or does nothing at all. */
const unplug: CompletionRule = {
  events: ['DEVICE_DELETED', 'DEVICE_UNPLUG_GUEST_ERROR', 'MEM_UNPLUG_ERROR', 'ACPI_DEVICE_OST'],
  subject: (args) => asText(args['id']),
  concerns: ({ subject }, event, data) => {
    if (event === 'ACPI_DEVICE_OST') return asObject(data['info'])?.['device'] === subject;
    return data['device'] === subject || data['path'] === pathOf(subject);
  },
  event(work, event, data) {
    const { subject } = work;
    if (event === 'DEVICE_DELETED') return { state: 'done' };
    if (event === 'MEM_UNPLUG_ERROR') return work.failure(asText(data['msg']) ?? `${subject} could not be removed.`);
    if (event === 'ACPI_DEVICE_OST') {
      const { source, status } = asObject(data['info']) ?? {};
      if (!ejectRequest.has(asNumber(source) ?? -1) || ejectGoesOn.has(asNumber(status) ?? 0)) return undefined;
      return work.verdict(
        'failed',
        'command-failed',
        `The guest refused to let ${subject} go (_OST ${String(status)}).`,
        {
          outcome: 'refused',
        },
      );
    }
    return work.verdict('failed', 'command-failed', `The guest refused to let ${subject} go.`, { outcome: 'refused' });
  },
  question: ({ subject }) => ({ command: 'qom-list', args: JSON.stringify({ path: pathOf(subject) }) }),
  answered: (_work, outcome) =>
    outcome.kind === 'error' && outcome.class === 'DeviceNotFound' ? { state: 'done' } : undefined,
  late: ({ subject }) => `The guest has not let ${subject} go; it may still do so.`,
};

/** Page size of the balloon: the guest can't meet a size in between. */
const balloonPage = 4096;

const meets = (subject: string, actual: number | undefined) =>
  actual !== undefined && Math.abs(actual - Number(subject)) < balloonPage;

/** The guest changes its memory to a size, step by step. */
const balloon: CompletionRule = {
  // StratoVirt calls it BALLOON_CHANGED.
  events: ['BALLOON_CHANGE', 'BALLOON_CHANGED'],
  subject: (args) => asNumber(args['value'])?.toString(),
  concerns: () => true,
  event: ({ subject }, _event, data) => (meets(subject, asNumber(data['actual'])) ? { state: 'done' } : undefined),
  // No event comes when the guest has that size already.
  replied: () => 'ask',
  question: () => ({ command: 'query-balloon' }),
  answered: ({ subject }, outcome) =>
    meets(subject, asNumber(returnedObject(outcome)?.['actual'])) ? { state: 'done' } : undefined,
  late: ({ subject }) => `The guest has not reached ${subject} bytes; it may still do so.`,
};

/** The guest shuts down, or takes no notice. */
const powerdown: CompletionRule = {
  events: ['POWERDOWN', 'SHUTDOWN'],
  subject: () => '',
  concerns: () => true,
  event: (_work, event) => (event === 'SHUTDOWN' ? { state: 'done' } : undefined),
  question: () => ({ command: 'query-status' }),
  answered: (_work, outcome) => (returnedObject(outcome)?.['status'] === 'shutdown' ? { state: 'done' } : undefined),
  vmEnded: () => ({ state: 'done' }),
  late: () => 'The guest has not shut down; it may still do so.',
};

/** The guest was asked by its agent; in `halt` it ends without a sign. */
const guestShutdown: CompletionRule = {
  ...powerdown,
  events: ['SHUTDOWN', 'RESET'],
  subject: ({ mode }) => (mode === 'halt' ? undefined : (asText(mode) ?? 'powerdown')),
  event: ({ subject }, event) => (event === 'SHUTDOWN' || subject === 'reboot' ? { state: 'done' } : undefined),
  answered: (work, outcome, occasion) => {
    if (returnedObject(outcome)?.['status'] === 'shutdown') return { state: 'done' };
    return work.subject === 'reboot' && occasion === 'session'
      ? work.loss('The session with the VM ended, and nothing tells whether its guest was started anew.')
      : undefined;
  },
};

/** The tray of a drive: a guest that has locked it is asked, and may keep it shut. */
const tray: CompletionRule = {
  events: ['DEVICE_TRAY_MOVED'],
  subject: (args) => asText(args['id']) ?? asText(args['device']),
  concerns: ({ subject }, _event, data) => data['id'] === subject || data['device'] === subject,
  event: (_work, _event, data) => (data['tray-open'] === true ? { state: 'done' } : undefined),
  // It may have been open, or the drive have none.
  replied: () => 'ask',
  question: () => ({ command: 'query-block' }),
  answered: ({ subject }, outcome) => {
    const drive = returnedList(outcome)?.find(({ qdev, device }) => qdev === subject || device === subject);
    return drive !== undefined && drive['tray_open'] !== false ? { state: 'done' } : undefined;
  },
  late: () => 'The guest keeps the tray locked; it may still open it.',
};

/** An export that is no longer offered, and gone when its clients have let go. */
const exportRemoval: CompletionRule = {
  events: ['BLOCK_EXPORT_DELETED'],
  subject: (args) => asText(args['id']) ?? asText(args['name']),
  concerns: ({ subject }, _event, data) => data['id'] === subject,
  event: () => ({ state: 'done' }),
  // Where it had no client it is gone already; before 5.2 there is neither event nor question, and it always is.
  replied: (_work, vm) => (vm.hasEvent('BLOCK_EXPORT_DELETED') ? 'ask' : { state: 'done' }),
  question: () => ({ command: 'query-block-exports' }),
  answered: ({ subject }, outcome) =>
    returnedList(outcome)?.every(({ id }) => id !== subject) === true ? { state: 'done' } : undefined,
  vmEnded: () => ({ state: 'done' }),
  late: () => 'Its clients have not let go of the export.',
};

export const guestRules = {
  ...{ unplug, balloon, powerdown, tray },
  ...{ 'guest-shutdown': guestShutdown, 'export-removal': exportRemoval },
};
