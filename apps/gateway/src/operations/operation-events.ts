import type { Vm } from '../vms/vm.js';
import type { Operation, WorkingOperation } from './operation.js';

/** What the gateway hears of operations whose work goes on after the reply. */
export interface OperationEvents {
  /** The newest event position. */
  eventCursor(): string;
  /** Something about it is different. @param vm as far as it is known: the gateway may know it no longer */
  changed(operation: Operation, vm: Vm | undefined): void;
  /** Whether an event stream is open that shows it. */
  isWatched(operation: WorkingOperation): boolean;
  /** Called once for each, however it ended. */
  ended(operation: WorkingOperation): void;
  /** The gateway changed something of a VM by itself. */
  intervened(what: string, details: object): void;
  /** Called once each time operations can no longer be written down, or (undefined) can again. */
  logTrouble(failure: string | undefined): void;
}
