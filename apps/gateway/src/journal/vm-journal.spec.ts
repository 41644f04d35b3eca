import type { LastError, LastErrorCode } from '@qmp-gateway/qmp';
import { ManualClock } from '@qmp-gateway/test-kit';
import { describe, expect, it } from 'vitest';
import type { AgentState } from '../vms/vm-agent.js';
import type { Vm } from '../vms/vm.js';
import { VmJournal } from './vm-journal.js';

type Line = Record<string, unknown> & { readonly level: string; readonly msg: string };

/** A journal and what it wrote. */
class Stage {
  readonly clock = new ManualClock();
  readonly lines: Line[] = [];
  readonly journal: VmJournal;

  constructor() {
    const write = (level: string) => (fields: object, msg: string) => void this.lines.push({ level, msg, ...fields });
    this.journal = new VmJournal({ info: write('info'), warn: write('warn') } as never, this.clock);
  }

  /** Messages with codes, of those that came since the last call. */
  take(): string[] {
    return this.lines.splice(0).map(({ msg, code }) => (typeof code === 'string' ? `${msg} ${code}` : msg));
  }

  vm(id = 'a', agentState?: AgentState): StagedVm {
    return new StagedVm(this, id, agentState);
  }
}

/** A VM as far as the journal looks at it. */
class StagedVm {
  health: string | null = null;
  readonly agent: {
    id: string;
    state: AgentState;
    endpoint: string;
    schema: undefined;
    lastError: LastError | null;
  } | null;
  readonly monitor: { state: { name: string }; lastError: LastError | null } = {
    state: { name: 'idle' },
    lastError: null,
  };
  readonly definition = { endpoint: 'unix:/a' };
  readonly epoch = 'r.1';
  readonly source = 'api';
  readonly kind = 'qemu';
  readonly version = '10.2.0';
  readonly schema = undefined;

  constructor(
    private readonly stage: Stage,
    readonly id: string,
    agentState?: AgentState,
  ) {
    this.agent =
      agentState === undefined
        ? null
        : { id, state: agentState, endpoint: 'unix:/b', schema: undefined, lastError: null };
  }

  get ready(): boolean {
    return this.monitor.state.name === 'ready';
  }

  becomes(name: string, code?: LastErrorCode, detail = 'd'): void {
    this.monitor.state = { name };
    if (code !== undefined) this.monitor.lastError = { code, detail, time: 0 };
    this.health = name === 'ready' ? 'ok' : null;
    this.tell();
  }

  /** A dial and how it ends. */
  dial(name: string, code?: LastErrorCode): void {
    this.becomes('connecting');
    this.becomes(name, code);
  }

  tell(): void {
    this.stage.journal.changed(this as unknown as Vm);
  }

  removed(): void {
    this.stage.journal.removed(this as unknown as Vm);
  }
}

const minute = 60_000;

describe('what the log says of a VM', () => {
  it('is a line for each reason, not for each dial', () => {
    const stage = new Stage();
    const vm = stage.vm();
    for (let dials = 0; dials < 100; dials++) {
      vm.dial('waiting', 'no-permission');
      stage.clock.advance(4000);
    }
    expect(stage.lines).toEqual([
      {
        ...{ level: 'warn', msg: 'vm unreachable', vm: 'a', code: 'no-permission', detail: 'd' },
        ...{ epoch: 'r.1', endpoint: 'unix:/a' },
      },
    ]);
  });

  it('is another reason once that is not on the way to something else', () => {
    const stage = new Stage();
    const vm = stage.vm();
    vm.dial('waiting', 'no-such-file');
    vm.dial('waiting', 'refused');
    vm.dial('waiting', 'closed-before-greeting');
    stage.clock.advance(1000);
    vm.dial('ready');
    stage.clock.advance(minute);
    expect(stage.take()).toEqual(['vm unreachable no-such-file', 'vm ready']);
    vm.becomes('waiting', 'connection-reset');
    vm.dial('waiting', 'refused');
    stage.clock.advance(minute);
    expect(stage.take()).toEqual(['vm lost connection-reset']);
    vm.dial('busy', 'no-greeting');
    stage.clock.advance(minute);
    expect(stage.take()).toEqual(['vm busy no-greeting']);
    vm.dial('ready');
    vm.becomes('closed', 'shutdown');
    vm.dial('closed', 'no-such-file');
    vm.becomes('connecting');
    stage.clock.advance(minute);
    vm.removed();
    expect(stage.take()).toEqual(['vm ready again', 'vm ended shutdown', 'vm removed']);
  });

  it('is at most a line of a kind a minute when it flaps, with how many were left out, and at last how it is', () => {
    const stage = new Stage();
    const vm = stage.vm();
    vm.dial('ready');
    for (let flaps = 0; flaps < 100; flaps++) {
      vm.becomes('waiting', 'connection-lost');
      stage.clock.advance(1000);
      vm.dial('ready');
      stage.clock.advance(1000);
    }
    stage.clock.advance(minute);
    // The first of each kind, and two in each of the four minutes it went on.
    expect(stage.lines.length).toBeLessThanOrEqual(11);
    const repeated = stage.lines.reduce((sum, line) => sum + Number(line['repeated'] ?? 0), 0);
    // 201 changes: those that were told, and those that were counted.
    expect(stage.lines.length + repeated).toBe(201);
    expect(stage.lines.at(-1)?.msg).toBe('vm ready again');
    // What comes later than it happened says when that was.
    const late = stage.lines.filter(({ since }) => since !== undefined);
    expect(late.length).toBeGreaterThan(0);
    expect(stage.lines[0]?.['since']).toBeUndefined();
    expect(stage.clock.pending).toBe(0);
  });

  it('tells that its main loop hangs, and that it answers again', () => {
    const stage = new Stage();
    const vm = stage.vm();
    vm.dial('ready');
    for (const health of ['slow', 'unresponsive', 'unresponsive', 'ok']) {
      vm.health = health;
      vm.tell();
    }
    vm.becomes('waiting', 'connection-lost');
    expect(stage.take()).toEqual(['vm ready', 'vm unresponsive', 'vm answers again', 'vm lost connection-lost']);
  });

  it('waits for VMs that dial in without a warning', () => {
    const stage = new Stage();
    const vm = stage.vm();
    vm.dial('waiting', 'listening');
    vm.becomes('ready');
    vm.becomes('waiting', 'connection-lost');
    expect(stage.lines.map(({ level, msg }) => `${level} ${msg}`)).toEqual([
      'info vm awaited',
      'info vm ready',
      'warn vm lost',
    ]);
  });

  it('is bounded whatever a VM makes the system say', () => {
    const stage = new Stage();
    stage.vm().becomes('waiting', 'wrong-protocol', 'x'.repeat(10_000));
    expect(JSON.stringify(stage.lines).length).toBeLessThan(1000);
  });
});

describe('what the log says of ten thousand VMs at once', () => {
  it('is the first of them, and the others in sums', () => {
    const stage = new Stage();
    const vms = Array.from({ length: 10_000 }, (_, at) => stage.vm(`vm-${at}`));
    for (const vm of vms) vm.dial('ready');
    for (const vm of vms.slice(0, 50)) vm.becomes('waiting', 'connection-lost');
    stage.clock.advance(10_000);
    expect(stage.lines).toHaveLength(201);
    expect(stage.lines.at(-1)).toEqual({
      ...{ level: 'warn', msg: 'vms changed, too many to log one by one' },
      counts: { 'vm ready': 9800, 'vm lost': 50 },
      vms: Array.from({ length: 10 }, (_, at) => `vm-${at + 200}`),
    });
    stage.clock.advance(minute);
    vms[9000]?.becomes('waiting', 'refused');
    expect(stage.lines.at(-1)).toMatchObject({ msg: 'vm lost', vm: 'vm-9000' });
  });

  it('leaves nothing behind of those that are gone', () => {
    const stage = new Stage();
    for (let at = 0; at < 1000; at++) {
      const vm = stage.vm(`vm-${at}`, 'ready');
      vm.dial('ready');
      vm.removed();
    }
    stage.clock.advance(2 * minute);
    expect(stage.clock.pending).toBe(0);
  });
});

describe('what the log says of a guest agent', () => {
  it('is one warning that it is silent, and that it is there', () => {
    const stage = new Stage();
    const vm = stage.vm('a', 'connecting');
    vm.dial('ready');
    const { agent } = vm;
    if (agent === null) throw new Error('without agent');
    for (const state of ['silent', 'silent', 'silent'] as const) {
      agent.state = state;
      vm.tell();
      stage.clock.advance(10_000);
    }
    agent.state = 'ready';
    vm.tell();
    stage.clock.advance(10_000);
    expect(stage.lines.map(({ level, msg, vm: id }) => `${level} ${msg} ${String(id)}`)).toEqual([
      'info vm ready a',
      'warn guest agent silent a',
      'info guest agent ready a',
    ]);
  });

  it('is nothing when its VM goes', () => {
    const stage = new Stage();
    const vm = stage.vm('a', 'ready');
    vm.dial('ready');
    stage.clock.advance(10_000);
    Object.assign(vm.agent ?? {}, { state: 'waiting', lastError: { code: 'connection-lost', detail: '', time: 0 } });
    vm.tell();
    vm.becomes('closed', 'shutdown');
    stage.clock.advance(10_000);
    expect(stage.take()).toEqual(['vm ready', 'guest agent ready', 'vm ended shutdown']);
  });
});
