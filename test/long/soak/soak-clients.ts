import { on, once } from 'node:events';
import path from 'node:path';
import { RawQmpClient } from '@qmp-gateway/test-kit';
import { WebSocket } from 'ws';
import { openLines } from '../../e2e/event-readers.js';
import { change, echo } from '../../e2e/fake-machine.js';
import type { GatewayProcess } from '../../e2e/gateway-process.js';
import { exchange, type Exchange, type ExchangeOptions } from '../../e2e/http-exchange.js';
import { JsonRpcClient } from '../../e2e/json-rpc-client.js';
import type { Workload } from './workload.js';

/** What may become of a command at a VM that is cut off, stalled and garbled. */
const whenFaulty = ['outcome-unknown', 'vm-unavailable', 'deadline-exceeded', 'queue-full'];
const soon = { 'Request-Timeout': '500ms' };

export interface SoakVms {
  /** Answer always. */
  readonly fakes: readonly string[];
  readonly qemus: readonly string[];
  /** Are behind proxies that spoil what passes. */
  readonly faulty: readonly string[];
  /** Is killed and started again; a real one. */
  readonly killed: string;
  /** Real, with a guest agent that is killed and started again. */
  readonly withAgent: string;
  /** Where VMs that come and go are. */
  readonly passingEndpoint: string;
}

/** Clients of every kind, that come, do something and go; each knows what it may be answered. */
export class SoakClients {
  /** Milliseconds of commands at VMs that answer always, since last taken. */
  latencies: number[] = [];
  readonly problems: Record<string, number> = {};
  readonly unexpected: string[] = [];

  constructor(
    private readonly gateway: GatewayProcess,
    private readonly vms: SoakVms,
    private readonly random: (bound: number) => number,
    /** Where the gateway's sockets for QMP clients are. */
    private readonly monitors: string,
  ) {}

  start(load: Workload): void {
    for (let worker = 0; worker < 3; worker++) load.loop(`rest-${worker}`, 15, () => this.#rest());
    load.loop('qemu', 30, (count) => this.#qemu(count));
    load.loop('faulty', 10, (count) => this.#faulty(count));
    load.loop('killed', 50, () =>
      this.#ask(`/v1/vms/${this.vms.killed}/qmp/query-status`, whenFaulty, { headers: soon }),
    );
    load.loop('agent', 100, (count) => this.#agent(count));
    // Work that ended is kept for a day, 10,000 in all: too much to fill here, so there is little of it.
    load.loop('work', 10_000, () => this.#work());
    load.loop('wrong', 40, () => this.#wrong());
    load.loop('lists', 100, () => this.#lists());
    load.loop('json-rpc', 150, (count) => this.#jsonRpc(count));
    load.loop('streams', 120, (count) => this.#stream(count));
    load.loop('monitor', 200, (count) => this.#monitor(count));
    load.loop('monitor-socket', 200, (count) => this.#monitorSocket(count));
    load.loop('registry', 250, (count) => this.#registry(count));
    load.loop('tokens', 1000, () => this.#token());
    load.loop('sessions', 500, () => this.#session());
  }

  /**
   * Fills what is kept of commands to its bound (1,000 a VM) with the like of what comes, so that what grows later is
   * something else. One at a time for each VM: replies that arrive together share their memory.
   */
  async fill(): Promise<void> {
    const client = await JsonRpcClient.connect(this.gateway);
    const run = async (vm: string, command: string, args: () => object = () => ({})) => {
      for (let asked = 0; asked < 1000; asked++) {
        const { error, text } = await client.request('execute', JSON.stringify({ vm, command, arguments: args() }));
        if (error !== undefined) this.unexpected.push(text);
      }
    };
    const { fakes, qemus, faulty, killed, withAgent } = this.vms;
    await Promise.all([
      ...fakes.map((vm) => run(vm, echo, () => this.#arguments())),
      ...faulty.map((vm) => run(vm, echo, () => ({ integer: 1 }))),
      ...[...qemus, killed, withAgent].map((vm) => run(vm, 'query-version')),
    ]);
    client.close();
    await client.closed;
    for (let asked = 0; asked < 1000; asked++) await this.#ask(`/v1/vms/${withAgent}/agent/guest-get-time`, []);
    // The sessions of one principal, too, are bounded.
    for (let made = 0; made < 100; made++) await this.#session();
  }

  #arguments(): object {
    return { text: 'x'.repeat(this.random(10) === 0 ? 5000 : 50), integer: this.random(1e9) };
  }

  #pick(from: readonly string[]): string {
    return from[this.random(from.length)] ?? '';
  }

  /** One request; a problem that is not among the allowed is noted. */
  async #ask(path: string, allowed: readonly string[], options?: ExchangeOptions): Promise<Exchange> {
    const answer = await exchange(this.gateway, path, options);
    if (answer.status < 400) return answer;
    const code = String(answer.json()['code']);
    this.problems[code] = (this.problems[code] ?? 0) + 1;
    if (!allowed.includes(code)) this.unexpected.push(`${options?.method ?? ''} ${path}: ${answer.text}`);
    return answer;
  }

  async #rest(): Promise<void> {
    const body = JSON.stringify(this.#arguments());
    const began = performance.now();
    const vm = this.#pick(this.vms.fakes);
    const key = this.random(4) === 0 ? { 'Idempotency-Key': `key-${this.random(20)}` } : {};
    // A key that was used with another body, or is in use.
    const allowed = ['idempotency-mismatch', 'idempotency-in-progress'];
    await this.#ask(`/v1/vms/${vm}/qmp/${this.random(2) === 0 ? echo : change}`, allowed, {
      ...{ method: 'POST', body, headers: key },
    });
    this.latencies.push(performance.now() - began);
  }

  async #qemu(count: number): Promise<void> {
    const vm = `/v1/vms/${this.#pick(this.vms.qemus)}`;
    await this.#ask(`${vm}/qmp/${this.#pick(['query-status', 'query-version', 'query-cpus-fast'])}`, []);
    if (count % 20 === 0) await this.#ask(`${vm}/qom/machine?depth=1`, []);
  }

  async #agent(count: number): Promise<void> {
    const agent = `/v1/vms/${this.vms.withAgent}/agent`;
    const body = JSON.stringify({ path: '/bin/echo', arg: [String(count)] });
    if (count % 10 === 0) await this.#ask(`${agent}/exec`, whenFaulty, { body });
    else await this.#ask(`${agent}/guest-get-time`, whenFaulty, { headers: soon });
  }

  /** Commands whose work goes on after their reply, waited for to its end. */
  async #work(): Promise<void> {
    const vm = `/v1/vms/${this.#pick(this.vms.qemus)}`;
    await this.#ask(`${vm}/qmp/cont`, [], { method: 'POST', headers: { Prefer: 'wait=10' } });
    const stop = await this.#ask(`${vm}/qmp/stop`, [], { method: 'POST', headers: { Prefer: 'respond-async' } });
    await this.#ask(`${String(stop.headers.location)}?wait=10s`, []);
  }

  async #faulty(count: number): Promise<void> {
    const path = `/v1/vms/${this.#pick(this.vms.faulty)}/qmp/${echo}?timeout=500ms`;
    const { headers } = await this.#ask(path, whenFaulty, { method: 'POST', body: `{"integer": ${count}}` });
    const operation = headers['qmp-operation'];
    if (count % 10 === 0 && typeof operation === 'string')
      await this.#ask(path.replace(/qmp\/.*/, `operations/${operation}`), ['operation-not-found']);
  }

  async #wrong(): Promise<void> {
    const vm = `/v1/vms/${this.#pick(this.vms.fakes)}/qmp`;
    const headers = { Authorization: `Bearer qmpgw_nobody_${this.random(1e9)}` };
    const wrong: readonly [string, string, ExchangeOptions?][] = [
      [`${vm}/${echo}`, 'invalid-arguments', { body: '{"integer": "none"}' }],
      [`${vm}/${echo}`, 'malformed-json', { body: '{"integer": 1, "integer": 2}' }],
      [`${vm}/invented-${this.random(1e9)}`, 'command-not-found'],
      [`/v1/vms/invented-${this.random(1e9)}`, 'vm-not-found'],
      [`/v1/events?after=nonsense`, 'invalid-request'],
      [`/v1/vms`, 'unauthenticated', { headers }],
      [`/v1/vms`, 'origin-refused', { headers: { Origin: `http://evil-${this.random(1e9)}.example` } }],
    ];
    const [path, code, options] = wrong[this.random(wrong.length)] ?? ['', ''];
    const { status } = await this.#ask(path, [code], options);
    if (status < 400) this.unexpected.push(`${path}: ${status} in place of ${code}`);
  }

  async #lists(): Promise<void> {
    const resources = [
      '/v1/vms',
      '/v1/events?limit=100',
      '/metrics',
      `/v1/vms/${this.#pick(this.vms.qemus)}/openapi.json`,
    ];
    await this.#ask(this.#pick(resources), []);
    await this.#ask('/v1/qmp/query-status?vm=*', [], {
      ...{ method: 'POST', headers: soon },
    });
  }

  async #jsonRpc(count: number): Promise<void> {
    const client = await JsonRpcClient.connect(this.gateway);
    await client.request('subscribe', count % 2 === 0 ? '{"coalesce": "50ms"}' : '{}');
    const params = JSON.stringify({ vm: this.#pick(this.vms.fakes), command: echo });
    const answers = await Promise.all(Array.from({ length: 10 }, () => client.request('execute', params)));
    for (const { error, text } of answers) if (error !== undefined) this.unexpected.push(text);
    await client.events(1);
    client.close();
    await client.closed;
  }

  async #stream(count: number): Promise<void> {
    const accept = count % 2 === 0 ? 'text/event-stream' : 'application/x-ndjson';
    const stream = await openLines(this.gateway, `/v1/events${count % 3 === 0 ? '?after=oldest' : ''}`, accept);
    // Some take nothing and go.
    for (let line = 0; line < (count % 5 === 0 ? 0 : 20); line++) await stream.line();
    stream.close();
  }

  async #monitor(count: number): Promise<void> {
    const url = `${this.gateway.url.replace('http', 'ws')}/v1/vms/${this.#pick(this.vms.qemus)}/monitor`;
    const socket = new WebSocket(url, ['qmp'], { headers: { Authorization: `Bearer ${this.gateway.token ?? ''}` } });
    const closed = once(socket, 'close');
    const messages = on(socket, 'message', { close: ['close'] }) as AsyncIterator<[Buffer]>;
    const message = async (key: string) => {
      for (let next = await messages.next(); next.done !== true; next = await messages.next())
        if (key in (JSON.parse(next.value[0].toString()) as object)) return;
      throw new Error(`the monitor closed before ${key}`);
    };
    await message('QMP');
    for (const execute of ['qmp_capabilities', 'query-status']) {
      socket.send(JSON.stringify({ execute }));
      await message('return');
    }
    if (count % 2 === 0) socket.close();
    else socket.terminate();
    await closed;
  }

  async #monitorSocket(count: number): Promise<void> {
    const client = await RawQmpClient.connect(path.join(this.monitors, `${this.#pick(this.vms.qemus)}.sock`));
    await client.negotiate(count % 2 === 0);
    await client.command('{"execute":"query-status"}');
    const closed = once(client.socket, 'close');
    client.close();
    await closed;
  }

  async #session(): Promise<void> {
    const { headers } = await this.#ask('/v1/session', [], { method: 'POST' });
    const cookie = /^[^;]+/.exec(headers['set-cookie']?.[0] ?? '')?.[0] ?? '';
    await this.#ask('/v1/events?limit=10', [], { headers: { Authorization: null, Cookie: cookie } });
  }

  async #registry(count: number): Promise<void> {
    // Names come back: what is remembered of 10,000 VMs that are gone would fill the whole time.
    const path = `/v1/vms/passing-${count % 20}`;
    const endpoint = count % 4 === 0 ? 'unix:/nowhere/at-all' : this.vms.passingEndpoint;
    await this.#ask(path, [], { method: 'PUT', body: JSON.stringify({ endpoint, labels: { turn: String(count) } }) });
    if (count % 4 !== 0) {
      await this.#ask(`${path}?wait=10s`, []);
      await this.#ask(`${path}/qmp/${echo}`, [], { method: 'POST' });
    }
    await this.#ask(path, [], { method: 'DELETE' });
  }

  async #token(): Promise<void> {
    const made = await this.#ask('/v1/tokens', [], { body: '{"name": "passing", "level": "read", "expires": "1h"}' });
    const { id, token } = made.json();
    const headers = { Authorization: `Bearer ${String(token)}` };
    await this.#ask('/v1/vms', [], { headers });
    await this.#ask(`/v1/vms/${this.#pick(this.vms.fakes)}/qmp/${change}`, ['forbidden'], { method: 'POST', headers });
    await this.#ask(`/v1/tokens/${String(id)}`, [], { method: 'DELETE' });
  }
}
