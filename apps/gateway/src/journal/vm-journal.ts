import type { OnApplicationShutdown } from '@nestjs/common';
import { systemClock, type Clock, type Timer } from '@qmp-gateway/qmp';
import type { Logger } from 'pino';
import type { VmAgent } from '../vms/vm-agent.js';
import type { Vm, VmObserver } from '../vms/vm.js';
import { Journal, type JournalLine } from './journal.js';
import { agentLine, isLoss, removedLine, vmLine } from './vm-lines.js';

/**
 * Another reason why a VM can't be had is told when there still is one after this, and so is a change of an agent: servers
 * that start and end show several, and an agent goes before its VM.
 */
const settledMs = 5000;

/** What the log says of VMs: ready, lost, ended, out of reach and why, removed; and of their guest agents. */
export class VmJournal implements VmObserver, OnApplicationShutdown {
  readonly #journal: Journal;
  /** Key of the last line. A VM that takes the place of another begins anew. */
  readonly #last = new WeakMap<Vm | VmAgent, string>();
  readonly #looks = new Map<Vm, Timer>();

  constructor(
    log: Pick<Logger, 'info' | 'warn'>,
    private readonly clock: Clock = systemClock,
  ) {
    this.#journal = new Journal(log, clock);
  }

  /** Called at every change of a VM or its agent: most are no news here. */
  changed(vm: Vm): void {
    const line = this.#lineOf(vm);
    const { name } = vm.monitor.state;
    if (line !== undefined && (vm.ready || name === 'closed' || this.#last.get(vm) === undefined || isLoss(line)))
      this.#say(vm, vm.id, line);
    else if (line !== undefined) this.#lookLater(vm);
    if (this.#agentLineOf(vm) !== undefined) this.#lookLater(vm);
  }

  #lookLater(vm: Vm): void {
    if (this.#looks.has(vm)) return;
    const look = () => {
      this.#looks.delete(vm);
      const line = this.#lineOf(vm);
      if (line !== undefined) this.#say(vm, vm.id, line);
      const agentLine = this.#agentLineOf(vm);
      if (vm.agent !== null && agentLine !== undefined) this.#say(vm.agent, agentOf(vm), agentLine);
    };
    this.#looks.set(vm, this.clock.schedule(settledMs, look));
  }

  #lineOf(vm: Vm): JournalLine | undefined {
    return vmLine(vm, this.#last.get(vm), this.#journal.hasTold(vm.id, 'ready'));
  }

  /** Of a VM that is away nobody expects its agent. */
  #agentLineOf({ agent, ready }: Vm): JournalLine | undefined {
    return agent === null || !ready ? undefined : agentLine(agent, this.#last.get(agent));
  }

  #say(about: Vm | VmAgent, subject: string, line: JournalLine): void {
    this.#last.set(about, line.key);
    this.#journal.say(subject, line);
  }

  removed(vm: Vm): void {
    this.#looks.get(vm)?.cancel();
    this.#looks.delete(vm);
    this.#journal.drop(agentOf(vm));
    this.#journal.say(vm.id, removedLine(vm));
  }

  onApplicationShutdown(): void {
    this.close();
  }

  close(): void {
    for (const look of this.#looks.values()) look.cancel();
    this.#looks.clear();
    this.#journal.close();
  }
}

/** No id of a VM has a space. */
const agentOf = ({ id }: Vm) => `${id} agent`;
