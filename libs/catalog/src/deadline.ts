import type { CommandClass } from './command-class.js';

/** How long a command may take: the default, and the most that a caller may request. Milliseconds. */
export interface Deadline {
  readonly defaultMs: number;
  readonly ceilingMs: number;
}

const second = 1000;
const minute = 60 * second;

/**
 * The rows of the deadline table. A command names its row in the command tables; one that names none has the row of its
 * class. QMP cannot cancel, so these are generous wherever a command waits for storage, a guest or firmware.
 */
export const deadlineRows = {
  /** Answered from memory. */
  read: { defaultMs: 10 * second, ceilingMs: 60 * second },
  /** Reads that may wait for block I/O, a hung network file system, or the end of an incoming migration. */
  'slow-read': { defaultMs: 30 * second, ceilingMs: 2 * minute },
  /** `stop` and the like may wait for I/O to drain. */
  operate: { defaultMs: 30 * second, ceilingMs: 2 * minute },
  /**
   * Adding and removing devices, back-ends, objects and block nodes: these open files and connections in the main loop.
   */
  device: { defaultMs: 60 * second, ceilingMs: 10 * minute },
  /** Starting and ending block jobs, and changing media: these drain the node first. */
  job: { defaultMs: 60 * second, ceilingMs: 10 * minute },
  /** Synchronous snapshots, memory dumps and guest freezes: the amount of data bounds them. */
  snapshot: { defaultMs: 10 * minute, ceilingMs: 60 * minute },
  /** Starts like a block job, but may contain a synchronous snapshot (`transaction`, the human monitor's `savevm`). */
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

/**
 * The deadline of a table row, or of a class if the table names no row (empty string). Undefined for an unknown row.
 */
export function deadlineOf(row: string, commandClass: CommandClass): Deadline | undefined {
  const name = row === '' ? rowOfClass[commandClass] : row;
  return Object.hasOwn(deadlineRows, name) ? deadlineRows[name as DeadlineRow] : undefined;
}
