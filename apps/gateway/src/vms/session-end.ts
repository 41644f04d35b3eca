import type { Vm } from './vm.js';

/**
 * Calls back once, when the VM's present session has ended.
 * @returns a function that takes the wish back
 */
export function onceSessionEnded(vm: Vm, callback: () => void): () => void {
  const epochOf = (): string | null => (vm.ready ? vm.epoch : null);
  const epoch = epochOf();
  let cancel: () => unknown = () => undefined;
  const look = (): void => {
    if (epochOf() === epoch) cancel = vm.onceChanged(look);
    else callback();
  };
  cancel = vm.onceChanged(look);
  return () => void cancel();
}
