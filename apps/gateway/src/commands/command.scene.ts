import { loadBundledCatalog } from '@qmp-gateway/catalog';
import type { Execution } from '@qmp-gateway/qmp';
import { ManualClock, type Scene } from '@qmp-gateway/test-kit';
import type { AuditLine } from '../access/audit/audit-log.js';
import { noOwnMonitor } from '../access/policy/own-monitor.js';
import { Policy } from '../access/policy/policy.js';
import { Principal, type Level } from '../access/principal.js';
import { OperationStore } from '../operations/operation-store.js';
import { UnheardEvents } from '../operations/work.scene.js';
import { WorkFollower } from '../operations/work-follower.js';
import { Problem } from '../problems/problem.js';
import { VmSchema } from '../schemas/vm-schema.js';
import { loadSettings } from '../settings/load-settings.js';
import { StateDirectory } from '../state/state-directory.js';
import { PassedDescriptors } from '../vms/passed-descriptors.js';
import { CommandQueue } from '../vms/command-queue.js';
import type { Vm } from '../vms/vm.js';
import { CommandMetrics } from './command-metrics.js';
import { CheckedCommandPath } from './command-path.js';
import type { CommandAnswer, CommandAsker, CommandRequest } from './command-request.js';
import { IdempotencyStore } from './idempotency.js';

const { model, meta } = await loadBundledCatalog({ file: 'qemu-7.2.json' });
/** What QEMU 7.2 offers. */
export const schema = new VmSchema('sha256:0', { kind: 'qemu', version: meta.version, package: '' }, model, {
  exact: true,
  classes: new Map(),
});

/** A VM whose monitor sends what it gets, and answers when the test says so. */
export class FakeVm {
  readonly kind = 'qemu';
  readonly definition = {};
  readonly labels = {};
  readonly ownMonitor = noOwnMonitor;
  readonly agent = null;
  readonly runState = 'running';
  readonly lastError = null;
  readonly display = true;
  readonly condition = 'The VM is away.';
  readonly passed = new PassedDescriptors();
  readonly queue: CommandQueue;
  /** Commands that were written, and have no reply. */
  readonly sent: Execution[] = [];
  schema: VmSchema | undefined = schema;
  epoch = 'e.1';
  ready = true;
  arriving = false;
  /** Commands that the VM takes at once. */
  window = 1;
  #changed: (() => void)[] = [];

  constructor(
    readonly id = 'web-1',
    queued = 2,
  ) {
    this.queue = new CommandQueue({ queue: queued });
  }

  readonly monitor = {
    state: { name: 'ready' },
    places: 1,
    resynchronize: () => undefined,
    execute: (execution: Execution) => {
      this.sent.push(execution);
      this.monitor.places = this.window - this.sent.length;
      execution.onWrite?.();
    },
  };

  onceChanged(callback: () => void): () => void {
    this.#changed.push(callback);
    return () => (this.#changed = this.#changed.filter((other) => other !== callback));
  }

  /** Tells whoever waits for a change. */
  change(state: Partial<Pick<FakeVm, 'schema' | 'ready' | 'arriving' | 'epoch'>>): void {
    Object.assign(this, state);
    for (const callback of this.#changed.splice(0)) callback();
  }

  /** Replies to the oldest command, and serves the next. */
  reply(value: unknown = {}): void {
    const execution = this.sent.shift();
    if (execution === undefined) throw new Error('nothing was sent');
    this.monitor.places = this.window - this.sent.length;
    execution.settle({ kind: 'return', value: Buffer.from(JSON.stringify(value)) });
    this.queue.serve(this.monitor);
  }

  get commands(): string[] {
    return this.sent.map(({ command, argumentsJson = '' }) => `${command} ${argumentsJson}`.trim());
  }
}

/** A caller of this level. */
export function principalOf(level: Level, id = 'p'): Principal {
  return new Principal(id, id, { level, vms: ['*'] });
}

/** The command path of a gateway with fake VMs, and a clock that the test moves. */
export class CommandScene implements CommandAsker {
  readonly clock = new ManualClock();
  readonly vms: Map<string, FakeVm>;
  readonly answers: CommandAnswer[] = [];
  /** What the audit log got. */
  readonly audited: Record<string, unknown>[] = [];
  readonly faults: unknown[] = [];
  readonly operations = new OperationStore('r', this.clock);
  readonly metrics = new CommandMetrics();
  readonly work: WorkFollower;
  readonly path: CheckedCommandPath;
  #count = 0;

  constructor(scene: Scene, vms = [new FakeVm()]) {
    this.vms = new Map(vms.map((vm) => [vm.id, vm]));
    const { clock, operations, metrics } = this;
    const state = new StateDirectory(scene.directory());
    const events = new UnheardEvents();
    this.work = scene.keep(new WorkFollower({ state, operations, events, clock }), (work) => work.stop());
    const idempotency = scene.keep(
      new IdempotencyStore({ state, clock, operationPath: () => undefined, trouble: () => undefined }),
      (store) => store.close(),
    );
    const audit = { refusal: undefined, add: this.#audit, addLater: this.#audit };
    const policy = new Policy(loadSettings({}, {}), new Map());
    const registry = {
      require: (_principal: Principal, id: string) => {
        const vm = this.vms.get(id);
        if (vm === undefined) throw new Problem('vm-not-found', 'There is no such VM.');
        return vm as unknown as Vm;
      },
    };
    this.path = new CheckedCommandPath({
      ...{ registry, policy, audit, metrics, operations, work: this.work, idempotency, clock },
      limits: { commandBytes: 1000 },
      eventCursor: () => 'r.7',
      fault: (error) => this.faults.push(error),
    });
  }

  get vm(): FakeVm {
    const [vm] = this.vms.values();
    if (vm === undefined) throw new Error('no VM');
    return vm;
  }

  request(command: string, args?: string, more: Partial<CommandRequest> = {}): CommandRequest {
    return {
      ...{ principal: principalOf('host'), requestId: `q${++this.#count}`, entrance: 'rest', vm: this.vm.id, command },
      arguments: args === undefined ? { kind: 'none' } : { kind: 'json', json: args },
      arrivedAt: this.clock.now(),
      ...more,
    };
  }

  execute(command: string, args?: string, more: Partial<CommandRequest> = {}): void {
    this.path.execute(this.request(command, args, more), this);
  }

  answered(answer: CommandAnswer): void {
    this.answers.push(answer);
  }

  /** What the callers got: return values, and codes of problems. */
  get told(): string[] {
    return this.answers.map((answer) => (answer.ok ? String(answer.json) : answer.problem.code));
  }

  readonly #audit = (line: AuditLine): void => {
    this.audited.push(JSON.parse(line.text('')) as Record<string, unknown>);
  };
}
