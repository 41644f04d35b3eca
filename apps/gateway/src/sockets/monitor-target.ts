import type { VmIdentity } from '../access/principal.js';
import { awayText } from '../commands/unavailable.js';
import type { Vm } from '../vms/vm.js';

/** The present session with a VM's monitor, as the shared monitor shows it. */
export interface MonitorTargetSession {
  readonly epoch: string;
  /** The VM's own greeting, as its monitor wrote it. */
  readonly greetingJson: string;
  /** Out-of-band execution can be had. */
  readonly oob: boolean;
}

/** A VM whose monitor is shared. */
export interface MonitorTarget extends VmIdentity {
  /** Undefined unless the VM is ready. */
  readonly session: MonitorTargetSession | undefined;
  /** Why there is none, in a line. */
  readonly away: string;
  /**
   * Calls back once, when the present session has ended.
   * @returns takes the wish back
   */
  onceSessionEnded(callback: () => void): () => void;
}

/** A VM of the registry, seen so. */
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
    onceSessionEnded(callback) {
      const epoch = sessionOf()?.epoch;
      let cancel: () => unknown = () => undefined;
      const look = (): void => {
        if (sessionOf()?.epoch === epoch) cancel = vm.onceChanged(look);
        else callback();
      };
      cancel = vm.onceChanged(look);
      return () => void cancel();
    },
  };
}
