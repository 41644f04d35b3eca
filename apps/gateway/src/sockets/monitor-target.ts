import type { VmIdentity } from '../access/principal.js';
import { onceSessionEnded } from '../vms/session-end.js';
import { awayText } from '../vms/unavailable.js';
import type { Vm } from '../vms/vm.js';

/** The current session with a VM's monitor, as the shared monitor shows it. */
export interface MonitorTargetSession {
  readonly epoch: string;
  /** The VM's own greeting, as its monitor wrote it. */
  readonly greetingJson: string;
  /** The VM's monitor takes out-of-band commands. */
  readonly oob: boolean;
}

/** A VM whose monitor is shared. */
export interface MonitorTarget extends VmIdentity {
  /** Undefined unless the VM is ready. */
  readonly session: MonitorTargetSession | undefined;
  /** The reason why there is none, in a line. */
  readonly away: string;
  /**
   * Calls back once, when the current session has ended.
   * @returns a function that cancels the callback
   */
  onceSessionEnded(callback: () => void): () => void;
}

/** Adapts a VM of the registry. */
export function monitorTargetOf(vm: Vm): MonitorTarget {
  const sessionOf = (): MonitorTargetSession | undefined => {
    const { state } = vm.monitor;
    if (state.name !== 'ready' || vm.epoch === null || state.session.greeting === null) return undefined;
    return { epoch: vm.epoch, greetingJson: state.session.greeting.json, oob: state.session.oob };
  };
  return {
    id: vm.id,
    labels: vm.labels,
    get session() {
      return sessionOf();
    },
    get away() {
      return awayText(vm);
    },
    onceSessionEnded: (callback) => onceSessionEnded(vm, callback),
  };
}
