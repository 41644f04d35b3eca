import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Scene } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import type { AuthenticatedContext } from '../access/authenticated-request.js';
import type { Level } from '../access/principal.js';
import type { VmRegistry } from '../vms/vm-registry.js';
import type { CommandAnswer } from './command-request.js';
import { CommandScene, FakeVm, principalOf } from './command.scene.js';
import { FanOut, type FanOutExchange } from './fan-out.js';

const scene = new Scene();
afterEach(() => scene.end());

/** The answer to a fan-out, whose reader takes it as fast as the test says. */
class FakeResponse extends EventEmitter {
  readonly destroyed = false;
  status: number | undefined;
  text = '';
  ended = false;
  writableNeedDrain = false;

  writeHead(status: number): void {
    this.status = status;
  }

  flushHeaders(): void {
    // There is no connection.
  }

  write(text: string): void {
    this.text += text;
  }

  end(text: string): void {
    this.text += text;
    this.ended = true;
  }

  get lines(): unknown[] {
    return this.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown);
  }
}

class FanOutScene implements FanOutExchange {
  readonly stage: CommandScene;
  readonly fake = new FakeResponse();
  readonly request = { headers: {} } as IncomingMessage;
  readonly response = this.fake as unknown as ServerResponse;
  readonly context: AuthenticatedContext;
  readonly refusals: CommandAnswer[] = [];
  readonly #fanOut: FanOut;

  constructor(vms: FakeVm[], query = 'vm=*', level: Level = 'host') {
    this.stage = new CommandScene(scene, vms);
    this.context = { principal: principalOf(level), requestId: 'q', query, answerHeaders: {} } as AuthenticatedContext;
    const registry = { all: () => this.stage.vms.values() } as unknown as VmRegistry;
    this.#fanOut = new FanOut(registry, this.stage.path, this.stage.clock);
  }

  answered(answer: CommandAnswer): void {
    this.refusals.push(answer);
  }

  run(command: string, json?: string): void {
    this.#fanOut.run(this, command, json === undefined ? { kind: 'none' } : { kind: 'json', json });
  }
}

describe('a fan-out', () => {
  it('is a line for each VM as it answers, then the end', () => {
    const vms = ['a', 'b', 'c'].map((id) => new FakeVm(id));
    const { fake, stage, ...of } = staged(vms);
    of.run('device_del', '{"id": "d0"}');
    expect(vms.flatMap(({ commands }) => commands)).toEqual(Array(3).fill('device_del {"id": "d0"}'));
    vms[2]?.reply(3);
    vms[0]?.reply(1);
    vms[1]?.sent[0]?.settle({ kind: 'error', class: 'DeviceNotFound', desc: 'no d0' });
    expect([fake.status, fake.ended]).toEqual([200, true]);
    expect(fake.lines).toMatchObject([
      { vm: 'c', status: 200, cursor: 'r.7', return: 3 },
      { vm: 'a', status: 200, return: 1 },
      { vm: 'b', status: 404, problem: { code: 'device-not-found' } },
      { end: true, selected: 3, ok: 2, failed: 1 },
    ]);
    expect(stage.audited).toMatchObject([{ vm: 'c' }, { vm: 'a' }, { vm: 'b' }]);
  });

  it('waits for a silent VM until its deadline, and for nobody longer', () => {
    const vms = ['a', 'b'].map((id) => new FakeVm(id));
    const { fake, stage, run } = staged(vms, 'vm=*&timeout=2');
    run('query-status');
    vms[0]?.reply(1);
    stage.clock.advance(1999);
    expect(fake.ended).toBe(false);
    stage.clock.advance(1);
    expect(fake.lines).toMatchObject([
      { vm: 'a' },
      { vm: 'b', problem: { code: 'deadline-exceeded' } },
      { end: true, ok: 1, failed: 1 },
    ]);
  });

  it('asks no further VM while its reader takes nothing', () => {
    const vms = ['a', 'b'].map((id) => new FakeVm(id));
    const { fake, run } = staged(vms);
    fake.writableNeedDrain = true;
    run('query-status');
    expect(vms.flatMap(({ commands }) => commands)).toEqual([]);
    fake.writableNeedDrain = false;
    fake.emit('drain');
    expect(vms.flatMap(({ commands }) => commands)).toEqual(['query-status', 'query-status']);
  });

  it('is refused as a whole, and audited once, where policy refuses it on every VM', () => {
    const vms = ['a', 'b'].map((id) => new FakeVm(id));
    const { fake, stage, refusals, run } = staged(vms, 'vm=*', 'read');
    run('device_del', '{"id": "d0"}');
    expect([fake.status, refusals]).toMatchObject([undefined, [{ ok: false, problem: { code: 'forbidden' } }]]);
    expect(stage.audited).toMatchObject([{ vm: '*', arguments: { id: 'd0' }, problem: 'forbidden' }]);
  });

  it.each([
    ['no selector', '', undefined, 'invalid-request'],
    ['a selector that selects nothing', 'vm=none', undefined, 'vm-not-found'],
    ['arguments that are not JSON', 'vm=*', '{', 'malformed-json'],
    ['an unknown control', 'vm=*&tiemout=1', undefined, 'invalid-request'],
  ])('is refused before anything is sent with %s', (_, query, json, code) => {
    const vm = new FakeVm('a');
    const { run } = staged([vm], query);
    expect(() => run('query-status', json)).toThrow(expect.objectContaining({ code }));
    expect(vm.sent).toEqual([]);
  });
});

function staged(vms: FakeVm[], query?: string, level?: Level) {
  const of = new FanOutScene(vms, query, level);
  const { fake, stage, refusals } = of;
  return { fake, stage, refusals, run: (command: string, json?: string) => of.run(command, json) };
}
