import type { Execution, Settlement, QmpEvent } from '@qmp-gateway/qmp';
import { ManualClock } from '@qmp-gateway/test-kit';
import { CommandQueue } from '../vms/command-queue.js';
import type { Vm } from '../vms/vm.js';
import type { ForeignKind } from './foreign-work.js';
import type { OperationEvents } from './operation-events.js';
import { restoredOperation, type OperationRecord } from './operation-record.js';
import { OperationStore } from './operation-store.js';
import type { WorkingOperation } from './operation.js';
import { VmWorks, type WorkKeeper } from './vm-works.js';

/** Events that nobody hears. */
export class UnheardEvents implements OperationEvents {
  eventCursor(): string {
    return 'r.1';
  }

  isWatched(): boolean {
    return false;
  }

  changed(...[]: Parameters<OperationEvents['changed']>): void {
    // Nobody hears it.
  }

  ended(): void {
    // Nobody hears it.
  }

  intervened(): void {
    // Nobody hears it.
  }

  logTrouble(...[]: Parameters<OperationEvents['logTrouble']>): void {
    // Nobody hears it.
  }
}

const mirror: OperationRecord = {
  ...{ id: 'o1', vm: 'vm', command: 'blockdev-mirror', principalId: 'p', completion: 'job', subject: 'j' },
  ...{ started: 1, deadlineAt: null, epoch: null, state: 'running', ended: null, result: null, problem: null },
  ...{ progress: null, events: [], job: { id: 'j', type: null, status: null }, dismiss: false },
};

/** An operation whose command was answered, and whose work goes on or has ended as the record says. */
export function workingOperation(record: Partial<OperationRecord> = {}): WorkingOperation {
  return restoredOperation({ ...mirror, ...record });
}

export interface Asked {
  readonly command: string;
  readonly args: string | undefined;
  readonly arrived: (settlement: Settlement) => void;
}

/** Hears what is told of work. */
class HeardEvents extends UnheardEvents {
  readonly told: { readonly at: number; readonly state: string; readonly current: number | undefined }[] = [];
  /** The VMs that were named with it. */
  readonly sources: (Vm | undefined)[] = [];
  watched = false;

  constructor(private readonly clock: ManualClock) {
    super();
  }

  override isWatched(): boolean {
    return this.watched;
  }

  override changed({ shownState: state, work }: WorkingOperation, vm: Vm | undefined): void {
    this.sources.push(vm);
    this.told.push({ at: this.clock.now(), state, current: work.progress?.current });
  }
}

/** Work followed on a VM that does what the test says. */
export class WorkScene implements WorkKeeper {
  readonly clock = new ManualClock();
  readonly store = new OperationStore('r', this.clock);
  /** Questions that have no answer yet. */
  readonly asked: Asked[] = [];
  /** States that were written down. */
  readonly written: string[] = [];
  readonly heard = new HeardEvents(this.clock);
  readonly told = this.heard.told;
  readonly sources = this.heard.sources;
  expectsMigration = false;
  readonly vm: Vm;
  readonly works: VmWorks;

  constructor(commands = ['query-jobs', 'job-dismiss', 'qom-list', 'query-migrate']) {
    const queue = new CommandQueue({ queue: 10 });
    const monitor = {
      places: 8,
      execute: (execution: Execution) => {
        const { command, argumentsJson: args } = execution;
        this.asked.push({ command, args, arrived: (settlement) => execution.settle(settlement) });
      },
    };
    const schema = {
      commands: new Map(commands.map((name) => [name, {}])),
      model: { events: new Map(['JOB_STATUS_CHANGE', 'BLOCK_EXPORT_DELETED'].map((name) => [name, {}])) },
    };
    this.vm = {
      ...{ id: 'vm', epoch: 'e.1', ready: true, runState: 'running' },
      queue,
      monitor,
      schema,
    } as unknown as Vm;
    this.works = new VmWorks({ keeper: this, store: this.store, events: this.heard, clock: this.clock });
  }

  changed({ shownState }: WorkingOperation): void {
    this.written.push(shownState);
  }

  adopt(_vm: Vm, completion: ForeignKind, subject: string): WorkingOperation {
    return workingOperation({ id: 'foreign', command: null, completion, subject });
  }

  beforeMigration(): void {
    this.expectsMigration = true;
  }

  /** An operation whose command waits for its turn. */
  accept(record: Partial<OperationRecord> = {}): WorkingOperation {
    const { command, vm, principalId, completion, subject, job, dismiss } = { ...mirror, ...record };
    const operation = this.store.begin(vm, command ?? '', principalId ?? '');
    const working = this.store.beginWork(operation, { completion, subject, job, dismiss, deadlineAt: null });
    this.works.add(working, this.vm);
    return working;
  }

  /** An operation whose command was written. */
  write(record: Partial<OperationRecord> = {}, deadlineMs: number | null = null): WorkingOperation {
    const operation = this.accept(record);
    operation.sent('e.1');
    this.works.written(operation, 'e.1', deadlineMs);
    return operation;
  }

  /** An operation whose command was written and has returned. */
  begin(record: Partial<OperationRecord> = {}, deadlineMs: number | null = null): WorkingOperation {
    const operation = this.write(record, deadlineMs);
    this.works.replied(operation, Buffer.from('{}'));
    return operation;
  }

  event(name: string, data: object): void {
    const event: QmpEvent = { name, data: JSON.stringify(data), timestamp: 'null', receivedAt: this.clock.wall() };
    this.works.event(this.vm, event);
  }

  nextSession(): void {
    Object.assign(this.vm, { epoch: 'e.2' });
    this.works.ready(this.vm);
  }

  /** Answers the oldest question. */
  answer(value: unknown): Asked {
    const [question] = this.asked.splice(0, 1);
    if (question === undefined) throw new Error('nothing was asked');
    question.arrived({ kind: 'return', value: Buffer.from(JSON.stringify(value)) });
    return question;
  }
}

export const jobs = (current: number, rest: object = {}) => [
  { id: 'j', type: 'mirror', status: 'running', 'current-progress': current, 'total-progress': 100, ...rest },
];
export const status = (text: string) => ({ id: 'j', status: text });
