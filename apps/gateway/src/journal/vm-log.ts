import { systemClock, type Clock } from '@qmp-gateway/qmp';
import type { Logger } from 'pino';
import { AnomalyLog } from './anomaly-log.js';
import type { Vm, VmObserver } from '../vms/vm.js';

/** Lines about VMs for whoever looks for a fault; the journal is for whoever runs them. */
export class VmLog implements VmObserver {
  readonly #anomalies: AnomalyLog;

  constructor(
    private readonly log: Pick<Logger, 'debug' | 'warn' | 'error'>,
    clock: Clock = systemClock,
  ) {
    this.#anomalies = new AnomalyLog((line) => log.warn(line, 'odd bytes from a vm'), clock);
  }

  changed(vm: Vm): void {
    const { id, state, health, runState, lastError } = vm;
    const why = vm.ready || lastError === null ? {} : { code: lastError.code, detail: lastError.detail };
    this.log.debug({ vm: id, state, health, runState, ...why }, 'vm changed');
  }

  anomaly(vm: Vm, kind: string, detail: string): void {
    this.#anomalies.tell(vm, kind, detail);
  }

  caution(vm: Vm, message: string): void {
    this.log.warn({ vm: vm.id }, message);
  }

  failed(vm: Vm, error: unknown): void {
    this.log.error({ err: error, vm: vm.id }, 'a fault of ours in handling what a vm said; the session with it ends');
  }
}
