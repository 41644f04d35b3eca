import type { Clock, Timer } from '@qmp-gateway/qmp';
import type { Vm } from '../vms/vm.js';
import type { OperationEvents } from './operation-events.js';
import type { WorkingOperation } from './operation.js';

/** Milliseconds between two events of one operation, and between two looks at how far it is: at most 4 a second. */
export const lookMs = 250;

/** Tells the event streams of the work of one VM; what changes within {@link lookMs} is told together. */
export class WorkAnnouncements {
  readonly #planned = new Map<WorkingOperation, Timer>();

  constructor(
    private readonly events: OperationEvents,
    private readonly clock: Clock,
  ) {}

  announce(operation: WorkingOperation, vm: Vm | undefined): void {
    if (this.#planned.has(operation)) return;
    const wait = operation.work.announcedAt + lookMs - this.clock.now();
    if (wait <= 0) this.#tell(operation, vm);
    else
      this.#planned.set(
        operation,
        this.clock.schedule(wait, () => this.#tell(operation, vm)),
      );
  }

  /** Tells at once what was planned. */
  flush(vm: Vm): void {
    for (const operation of [...this.#planned.keys()]) this.#tell(operation, vm);
  }

  /** Tells nothing more. */
  stop(): void {
    for (const timer of this.#planned.values()) timer.cancel();
    this.#planned.clear();
  }

  #tell(operation: WorkingOperation, vm: Vm | undefined): void {
    this.#planned.get(operation)?.cancel();
    this.#planned.delete(operation);
    operation.work.announcedAt = this.clock.now();
    this.events.changed(operation, vm);
  }
}
