import type { CommandClass } from './command-class.js';

/** How long a command may take: what applies unasked, and the most a caller may ask for. Milliseconds. */
export interface Deadline {
  readonly defaultMs: number;
  readonly ceilingMs: number;
}

const second = 1000;
const minute = 60 * second;

/**
 * The rows of the deadline table. A command names its row in the command tables; one that names none has the row of
 * its class. QMP can't cancel, so these err on the long side wherever a command waits for storage, a guest or firmware.
 */
export const deadlineRows = {
  /** Answered from memory. */
  read: { defaultMs: 10 * second, ceilingMs: 60 * second },
  /** Reads that may wait behind block I/O, a hung network file system, or the end of an incoming migration. */
  'slow-read': { defaultMs: 30 * second, ceilingMs: 2 * minute },
  /** `stop` and the like may wait for I/O to drain. */
  operate: { defaultMs: 30 * second, ceilingMs: 2 * minute },
  /** Adding and removing devices, back-ends, objects and block nodes: opens files and connections in the main loop. */
  device: { defaultMs: 60 * second, ceilingMs: 10 * minute },
  /** Starting and ending block jobs, and changing media: drains the node first. */
  job: { defaultMs: 60 * second, ceilingMs: 10 * minute },
  /** Synchronous snapshots, memory dumps and guest freezes: bounded by the amount of data, not by us. */
  snapshot: { defaultMs: 10 * minute, ceilingMs: 60 * minute },
  /** Starts like a block job, but may hold a synchronous snapshot (`transaction`, the human monitor's `savevm`). */
  mixed: { defaultMs: 60 * second, ceilingMs: 60 * minute },
  /** Ends only after all devices and images are closed. */
  quit: { defaultMs: 60 * second, ceilingMs: 10 * minute },
} as const satisfies Record<string, Deadline>;

export type DeadlineRow = keyof typeof deadlineRows;

const rowOfClass: Record<CommandClass, DeadlineRow> = {
  read: 'read',
  operate: 'operate',
  configure: 'operate',
  host: 'operate',
};

/** The deadline of a table row, or of a class when the table names none (empty string). Undefined for an unknown row. */
export function deadlineOf(row: string, commandClass: CommandClass): Deadline | undefined {
  const name = row === '' ? rowOfClass[commandClass] : row;
  return Object.hasOwn(deadlineRows, name) ? deadlineRows[name as DeadlineRow] : undefined;
}
