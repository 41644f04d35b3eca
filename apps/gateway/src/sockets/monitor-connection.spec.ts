import { ManualClock } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Principal } from '../access/principal.js';
import type { CommandAnswer, CommandRequest } from '../commands/command-request.js';
import { EventHub } from '../events/event-hub.js';
import { Problem } from '../problems/problem.js';
import { MonitorConnection, type MonitorTransport } from './monitor-connection.js';
import type { MonitorTargetSession } from './monitor-target.js';
import type { Leaver } from '../upgrades/socket-connection.js';

const greeting =
  '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": ""}, "capabilities": ["oob"]}}';
const principal = new Principal('p', 'p', { level: 'host', vms: ['*'] });

class Harness implements MonitorTransport {
  readonly sent: string[] = [];
  readonly commands: { request: CommandRequest; answer: (answer: CommandAnswer) => void }[] = [];
  readonly hub = new EventHub({ run: 'r1' });
  readonly leavers = new Set<Leaver>();
  unsent = 0;
  paused = false;
  ended: string | undefined;
  readonly connection: MonitorConnection;
  #sessionEnded: (() => void) | undefined;

  constructor(session: MonitorTargetSession | null = { epoch: 'r1.1', greetingJson: greeting, oob: true }) {
    this.connection = new MonitorConnection({
      target: {
        id: 'web-1',
        labels: {},
        session: session ?? undefined,
        away: 'The VM is waiting (refused).',
        onceSessionEnded: (callback) => {
          this.#sessionEnded = callback;
          return () => (this.#sessionEnded = undefined);
        },
      },
      principal,
      requestId: 'req',
      clock: new ManualClock(),
      leavers: this.leavers,
      path: {
        execute: (request, asker) => this.commands.push({ request, answer: (end) => asker.answered(end) }),
      },
      hub: this.hub,
      transport: this,
    });
  }

  send(message: readonly (string | Buffer)[]): void {
    this.sent.push(message.map(String).join(''));
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  end(reason: string): void {
    this.ended = reason;
  }

  /** Sends messages and returns what came back at once. */
  say(...messages: string[]): string[] {
    const before = this.sent.length;
    for (const message of messages) this.connection.feed(Buffer.from(message));
    return this.sent.slice(before);
  }

  negotiate(enable = ''): this {
    expect(this.say(`{"execute":"qmp_capabilities"${enable}}`)).toEqual(['{"return": {}}']);
    return this;
  }

  answer(index: number, json: string): void {
    this.commands[index]!.answer({ ok: true, json: Buffer.from(json), trace: {} });
  }

  refuse(index: number, problem: Problem): void {
    this.commands[index]!.answer({ ok: false, problem, trace: {} });
  }

  event(name: string, data?: string): void {
    const event = { name, data, timestamp: '{"seconds": 1, "microseconds": 2}', receivedAt: 0 };
    this.hub.publish({ id: 'web-1', labels: {}, epoch: 'r1.1' }, event);
  }

  endSession(): void {
    this.#sessionEnded?.();
  }
}

const classOf = (message: string | undefined): unknown => {
  const { id, error } = JSON.parse(message ?? '{}') as { id?: unknown; error?: { class: string } };
  return id === undefined ? error?.class : [id, error?.class];
};

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('negotiation', () => {
  it("opens with the VM's own greeting", () => {
    expect(new Harness().sent).toEqual([greeting]);
  });

  it('refuses every command before it, and itself after it', () => {
    const client = new Harness();
    expect(client.say('{"execute":"query-status","id":1}').map(classOf)).toEqual([[1, 'CommandNotFound']]);
    expect(client.say('{"exec-oob":"query-yank","id":2}').map(classOf)).toEqual([[2, 'GenericError']]);
    client.negotiate();
    expect(client.say('{"execute":"qmp_capabilities","id":3}').map(classOf)).toEqual([[3, 'CommandNotFound']]);
    expect(client.commands).toHaveLength(0);
  });

  it.each(['{"enable":["nope"]}', '{"enable":"oob"}', '{"enable":[1]}', '{"able":[]}'])(
    'fails with %s and can be tried again',
    (args) => {
      const client = new Harness();
      expect(client.say(`{"execute":"qmp_capabilities","arguments":${args},"id":0}`).map(classOf)).toEqual([
        [0, 'GenericError'],
      ]);
      client.negotiate();
    },
  );

  it('offers out-of-band execution only where the VM has it', () => {
    const client = new Harness({ epoch: 'r1.1', greetingJson: greeting, oob: false });
    const answers = client.say('{"execute":"qmp_capabilities","arguments":{"enable":["oob"]}}');
    expect(answers.map(classOf)).toEqual(['GenericError']);
  });

  it('shows no events before it', () => {
    const client = new Harness();
    client.event('STOP');
    client.negotiate();
    client.event('RESUME');
    client.event('RESET', '{"guest": false}');
    expect(client.sent.slice(2)).toEqual([
      '{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "RESUME"}',
      '{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "RESET", "data": {"guest": false}}',
    ]);
  });
});

describe('commands', () => {
  it('go the way of all commands, in this session', () => {
    const client = new Harness().negotiate();
    client.say('{"execute":"device_del","arguments":{"id": "n0"},"id":"x"}');
    expect(client.commands[0]?.request).toMatchObject({
      entrance: 'monitor',
      vm: 'web-1',
      command: 'device_del',
      arguments: { kind: 'json', json: '{"id": "n0"}' },
      epoch: 'r1.1',
      principal,
    });
    client.answer(0, '{"big": 18446744073709551615}');
    expect(client.sent.at(-1)).toBe('{"return": {"big": 18446744073709551615}, "id": "x"}');
  });

  it.each(['1', '"a"', 'null', 'true', '[1, {"b": 2}]', '{"deep": {"er": [1.50]}}', '9223372036854775808'])(
    'bring back the id %s',
    (id) => {
      const client = new Harness().negotiate();
      client.say(`{"execute":"query-status","id":${id}}`);
      client.answer(0, '{}');
      expect(client.sent.at(-1)).toBe(`{"return": {}, "id": ${id}}`);
    },
  );

  it('may be written with single quotes, as QEMU takes them', () => {
    const client = new Harness().negotiate();
    client.say(`{'execute':'object-add','arguments':{'id':'it\\'s "x"'},'id':'a"b'}`);
    expect(client.commands[0]?.request).toMatchObject({
      command: 'object-add',
      arguments: { kind: 'json', json: `{"id":"it's \\"x\\""}` },
    });
    client.answer(0, '{}');
    expect(client.sent.at(-1)).toBe('{"return": {}, "id": "a\\"b"}');
  });

  it('are answered in their order, errors of ours included', () => {
    const client = new Harness().negotiate();
    client.say('{"execute":"a","id":1}{"execute":"b","id":2}{"execute":1,"id":3}');
    const before = client.sent.length;
    client.answer(1, '"b"');
    expect(client.sent).toHaveLength(before);
    client.answer(0, '"a"');
    expect(client.sent.slice(before, -1)).toEqual(['{"return": "a", "id": 1}', '{"return": "b", "id": 2}']);
    expect(classOf(client.sent.at(-1))).toEqual([3, 'GenericError']);
  });

  it('out of band are answered at once', () => {
    const client = new Harness().negotiate(',"arguments":{"enable":["oob"]}');
    client.say('{"execute":"slow","id":1}{"exec-oob":"query-yank","id":2}');
    expect(client.commands[1]?.request.outOfBand).toBe(true);
    client.answer(1, '[]');
    expect(client.sent.at(-1)).toBe('{"return": [], "id": 2}');
    client.say('{"execute":"next","id":3}');
    client.answer(0, '0');
    client.answer(2, '2');
    expect(client.sent.slice(-2)).toEqual(['{"return": 0, "id": 1}', '{"return": 2, "id": 3}']);
  });

  it('out of band need their capability', () => {
    const client = new Harness().negotiate();
    expect(client.say('{"exec-oob":"query-yank","id":2}').map(classOf)).toEqual([[2, 'GenericError']]);
  });

  it('are not read while eight are unanswered', () => {
    const client = new Harness().negotiate();
    client.say('{"execute":"query-status"}'.repeat(10));
    expect(client.commands).toHaveLength(8);
    expect(client.paused).toBe(true);
    client.answer(0, '{}');
    client.answer(1, '{}');
    expect(client.commands).toHaveLength(10);
    expect(client.paused).toBe(false);
  });

  it.each([
    [
      new Problem('command-failed', 'x', { qmp: { class: 'GenericError', desc: 'from QEMU' } }),
      'GenericError',
      'from QEMU',
    ],
    [
      new Problem('device-not-found', 'x', { qmp: { class: 'DeviceNotFound', desc: 'gone' } }),
      'DeviceNotFound',
      'gone',
    ],
    [new Problem('command-not-found', 'x', { command: 'nope' }), 'CommandNotFound', `There is no command 'nope'`],
    [new Problem('forbidden', 'needs level host'), 'GenericError', 'needs level host'],
  ])('fail in the terms of QMP: %s', (problem, errorClass, desc) => {
    const client = new Harness().negotiate();
    client.say('{"execute":"x","id":7}');
    client.refuse(0, problem);
    expect(client.sent.at(-1)).toBe(`{"id": 7, "error": {"class": "${errorClass}", "desc": "${desc}"}}`);
  });
});

describe('bad input', () => {
  it.each([
    ['{"execute":"a" "b"}', 'GenericError'],
    ['[]', 'GenericError'],
    ['"x"', 'GenericError'],
    ['nonsense ', 'GenericError'],
    ['{"execute":"a","execute":"b","id":1}', 'GenericError'],
    ['{"id":1}', [1, 'GenericError']],
    ['{"execute":"a","exec-oob":"b","id":1}', [1, 'GenericError']],
    ['{"execute":"a","more":1,"id":1}', [1, 'GenericError']],
    ['{"execute":"a","arguments":null,"id":1}', [1, 'GenericError']],
    ['{"execute":"a","arguments":[],"id":1}', [1, 'GenericError']],
    ['{"execute":null,"id":1}', [1, 'GenericError']],
    ['{"execute":"qmp_capabilities","arguments":{"enable":["nope"]},"id":1}', [1, 'GenericError']],
    ['{"execute":"\\uffff","id":1}', 'GenericError'],
    ['{"execute":"\ufdd0","id":1}', 'GenericError'],
    ['{"execute":"a","arguments":{"\\ud83f\\udffe":1},"id":1}', 'GenericError'],
    ["{'execute':'a','more':1,'id':'b'}", ['b', 'GenericError']],
    ['{"execute":"\\ud800"}', 'GenericError'],
  ])('%s is answered and harms nothing', (text, expected) => {
    const client = new Harness().negotiate();
    expect(client.say(text).map(classOf)).toEqual([expected]);
    client.say('{"execute":"query-status"}');
    expect(client.commands).toHaveLength(1);
  });

  it('of many values in one piece is read in turns with what others send', () => {
    const client = new Harness().negotiate();
    const answered = client.say('}'.repeat(1000));
    expect([answered.length, client.paused]).toEqual([200, true]);
    vi.runAllTimers();
    expect([client.sent.length, client.paused]).toEqual([2 + 1000, false]);
    client.say('}'.repeat(1000));
    client.connection.close();
    vi.runAllTimers();
    expect(client.sent).toHaveLength(2 + 1000 + 200);
  });

  it('starts afresh after 0xFF, with one error', () => {
    const client = new Harness().negotiate();
    const before = client.sent.length;
    client.connection.feed(Buffer.from('{"execute": "quer\xff{"execute":"query-status"}', 'latin1'));
    expect(client.sent.slice(before).map(classOf)).toEqual(['GenericError']);
    expect(client.commands).toHaveLength(1);
  });

  it('ends a client whose message never ends', () => {
    const client = new Harness().negotiate();
    client.say('{"execute":"', 'x'.repeat(1024 * 1024));
    expect(client.ended).toBe('too-big');
  });
});

describe('the end', () => {
  it('comes at once while the VM is not ready', () => {
    const client = new Harness(null);
    expect(client.ended).toBe('try-again-later');
    expect(client.sent).toEqual([]);
  });

  it("comes with the VM's session, after the answer of quit, and without made-up failures", () => {
    const client = new Harness().negotiate();
    client.say('{"execute":"slow","id":1}{"execute":"quit","id":2}');
    client.event('SHUTDOWN', '{}');
    client.endSession();
    client.refuse(0, new Problem('outcome-unknown', 'lost'));
    client.answer(1, '{}');
    vi.advanceTimersByTime(1);
    expect(client.sent.at(-1)).toBe('{"return": {}, "id": 2}');
    expect(client.sent.filter((message) => message.includes('error'))).toEqual([]);
    expect(client.ended).toBe('session-ended');
    client.event('STOP');
    expect(client.sent.at(-1)).not.toContain('STOP');
  });

  it('comes when the gateway stops, after the answers that are due', () => {
    const client = new Harness().negotiate();
    client.say('{"execute":"slow","id":1}{"execute":"slower","id":2}');
    for (const leaver of client.leavers) leaver.leave();
    client.event('STOP');
    expect(client.sent.at(-1)).toContain('STOP');
    expect(client.say('{"execute":"late","id":3}')).toEqual([]);
    client.answer(1, '{}');
    expect(client.ended).toBeUndefined();
    client.answer(0, '{}');
    expect(client.sent.slice(-3).map((message) => JSON.parse(message) as unknown)).toEqual([
      { return: {}, id: 1 },
      { return: {}, id: 2 },
      { id: 3, error: { class: 'GenericError', desc: 'This monitor is about to close' } },
    ]);
    expect([client.ended, client.leavers.size]).toEqual(['going-away', 0]);
  });

  it('comes for a client that does not read', () => {
    const client = new Harness().negotiate();
    client.unsent = 9 * 1024 * 1024;
    client.event('STOP');
    expect(client.ended).toBe('too-slow');
  });

  it('comes to what was read ahead too', () => {
    const client = new Harness().negotiate();
    client.say('{"execute":"slow"}'.repeat(9));
    client.connection.end('credentials-expired');
    client.say('{"execute":"stop"}');
    client.answer(0, '{}');
    expect([client.commands.length, client.ended]).toEqual([8, 'credentials-expired']);
  });

  it('leaves nothing behind when the client goes', () => {
    const client = new Harness().negotiate();
    client.say('{"execute":"slow"}');
    const before = client.sent.length;
    client.connection.close();
    client.event('STOP');
    client.answer(0, '{}');
    client.endSession();
    vi.advanceTimersByTime(1);
    expect(client.sent).toHaveLength(before);
    expect(client.ended).toBeUndefined();
  });
});
