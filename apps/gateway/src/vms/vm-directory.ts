import type { IncomingMessage } from 'node:http';
import type { Principal, VmIdentity } from '../access/principal.js';
import type { VmDirectory as EventsVmDirectory } from '../events/vm-directory.js';
import { Problem } from '../problems/problem.js';
import { renderView, type VmView } from './vm-view.js';
import { parseVmSelector, selectsVm, type VmSelector } from './vm-selector.js';
import type { Vm } from './vm.js';
import type { VmRegistry } from './vm-registry.js';

/** The VMs as clients see them: who may see which, in which form, at one moment. */
export class VmDirectory implements EventsVmDirectory {
  readonly #views = new WeakMap<Vm, VmView>();
  readonly #waits = new Set<() => void>();

  constructor(
    private readonly registry: VmRegistry,
    private readonly eventCursor: () => string,
  ) {}

  /** @throws Problem `vm-not-found` */
  require(principal: Principal, id: string): Vm {
    return this.registry.require(principal, id);
  }

  /**
   * Makes the view anew.
   * @returns false when it is what it was
   */
  renew(vm: Vm): boolean {
    const before = this.#views.get(vm);
    const view = renderView(vm);
    this.#views.set(vm, view);
    return view.full !== before?.full;
  }

  #view(vm: Vm): VmView {
    let view = this.#views.get(vm);
    if (view === undefined) {
      view = renderView(vm);
      this.#views.set(vm, view);
    }
    return view;
  }

  renderFull(vm: Vm): string {
    return withInFlight(this.#view(vm).full, vm);
  }

  renderReduced(vm: Vm): string {
    return withInFlight(this.#view(vm).reduced, vm);
  }

  /** One VM as this principal may see it. */
  render(principal: Principal, vm: Vm): string {
    return principal.reaches('configure') ? this.renderFull(vm) : this.renderReduced(vm);
  }

  /**
   * `{"vms":[…],"cursor":…}`: the selected VMs at one moment and the event position it belongs to.
   * @throws Problem `invalid-request` for a selector that can't be read
   */
  renderList(principal: Principal, vms: readonly string[], labels: readonly string[]): string {
    const { selector, faults } = parseVmSelector(vms, labels);
    if (faults.length > 0) throw new Problem('invalid-request', 'The selectors cannot be read.', { errors: faults });
    const rows = this.list(principal, selector);
    return `{"vms":[${rows.join(',')}],"cursor":${JSON.stringify(this.eventCursor())}}`;
  }

  find(id: string): VmIdentity | undefined {
    return this.registry.get(id);
  }

  notFound(principal: Principal, id: string): Problem {
    return this.registry.notFound(principal, id);
  }

  /** The rows of the selected VMs that this principal sees. */
  list(principal: Principal, selector: VmSelector): string[] {
    const rows: string[] = [];
    for (const vm of this.registry.all())
      if (principal.sees(vm) && selectsVm(selector, vm)) rows.push(this.render(principal, vm));
    return rows;
  }

  /** Whoever waits for a VM is told what is. */
  endWaits(): void {
    for (const end of this.#waits) end();
  }

  /** Resolves when the VM is ready, when it is gone, after `waitMs`, when waits are ended, or when the asker leaves. */
  untilReady(vm: Vm, waitMs: number, request: IncomingMessage): Promise<void> {
    return new Promise((resolve) => {
      const { socket } = request;
      let forget: () => unknown = () => undefined;
      const done = () => {
        clearTimeout(timer);
        this.#waits.delete(done);
        socket.off('close', done);
        forget();
        resolve();
      };
      const look = () => {
        if (vm.ready || vm.stopped) done();
        else forget = vm.onceChanged(look);
      };
      const timer = setTimeout(done, waitMs);
      socket.once('close', done);
      this.#waits.add(done);
      look();
    });
  }
}

function withInFlight(json: string, vm: Vm): string {
  return `${json.slice(0, -1)},"inFlight":${vm.inFlight}}`;
}
