import type { QmpEvent } from '@qmp-gateway/qmp';
import type { Vm, VmObserver } from './vm.js';

/**
 * Where everything that happens to VMs comes in and goes out to whoever registered, in the order of registration; that a
 * VM is removed goes in the reverse order, so that what builds on others says its last words before them.
 */
export class VmNews implements Required<VmObserver> {
  readonly #observers: VmObserver[] = [];

  /** As `register`. @returns the observer */
  registered<Observer extends VmObserver>(observer: Observer): Observer {
    this.register(observer);
    return observer;
  }

  /** From now on `observer` is called too. */
  register(observer: VmObserver): void {
    this.#observers.push(observer);
  }

  added(vm: Vm): void {
    for (const observer of this.#observers) observer.added?.(vm);
  }

  removed(vm: Vm): void {
    for (const observer of this.#observers.toReversed()) observer.removed?.(vm);
  }

  relabelling(vm: Vm, labels: Readonly<Record<string, string>>): void {
    for (const observer of this.#observers) observer.relabelling?.(vm, labels);
  }

  changed(vm: Vm): void {
    for (const observer of this.#observers) observer.changed?.(vm);
  }

  ready(vm: Vm): void {
    for (const observer of this.#observers) observer.ready?.(vm);
  }

  event(vm: Vm, event: QmpEvent): void {
    for (const observer of this.#observers) observer.event?.(vm, event);
  }

  eventLeftOut(vm: Vm, name: string): void {
    for (const observer of this.#observers) observer.eventLeftOut?.(vm, name);
  }

  anomaly(vm: Vm, kind: string, detail: string): void {
    for (const observer of this.#observers) observer.anomaly?.(vm, kind, detail);
  }

  caution(vm: Vm, message: string): void {
    for (const observer of this.#observers) observer.caution?.(vm, message);
  }

  failed(vm: Vm, error: unknown): void {
    for (const observer of this.#observers) observer.failed?.(vm, error);
  }
}
