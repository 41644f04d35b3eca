import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { GatewayProcess } from './gateway-process.js';
import { exchange } from './http-exchange.js';
import { JsonRpcClient } from './json-rpc-client.js';

/** What became of a command: `done`, or the code of the problem; the shared monitor tells only `forbidden` from any `error`. */
export type Verdicts = Readonly<Record<'rest' | 'message' | 'fan-out' | 'json-rpc' | 'monitor', string>>;

/** One principal's ways to run a command on one VM, all open at once. */
export class Entrances {
  readonly #gateway: GatewayProcess;
  readonly #rpc: JsonRpcClient;
  readonly #monitor: WebSocket;
  readonly #waiting = new Map<number, (answer: Record<string, unknown>) => void>();
  #last = 0;
  /** All that came, by whatever way. */
  received = '';

  private constructor(
    gateway: GatewayProcess,
    private readonly vm: string,
    rpc: JsonRpcClient,
    monitor: WebSocket,
  ) {
    this.#gateway = gateway;
    this.#rpc = rpc;
    this.#monitor = monitor;
    monitor.on('message', (data: Buffer) => {
      this.received += data.toString();
      const answer = JSON.parse(data.toString()) as Record<string, unknown>;
      const id = answer['id'] as number;
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    });
  }

  static async open(gateway: GatewayProcess, vm: string, token: string): Promise<Entrances> {
    const asPrincipal = { ...gateway, token };
    const rpc = await JsonRpcClient.connect(asPrincipal);
    const monitor = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/vms/${vm}/monitor`, ['qmp'], {
      headers: { Authorization: `Bearer ${token}` },
    });
    const [greeting] = (await once(monitor, 'message')) as [Buffer];
    const { QMP } = JSON.parse(greeting.toString()) as { QMP: { capabilities: readonly string[] } };
    const entrances = new Entrances(asPrincipal, vm, rpc, monitor);
    await entrances.#say(`{"execute":"qmp_capabilities","arguments":{"enable":${JSON.stringify(QMP.capabilities)}}`);
    return entrances;
  }

  close(): void {
    this.#rpc.close();
    this.#monitor.terminate();
  }

  /** @param args JSON text; undefined for none */
  async run(command: string, args: string | undefined, { oob = false } = {}): Promise<Verdicts> {
    const member = args === undefined ? '' : `,"arguments":${args}`;
    const message = `{"${oob ? 'exec-oob' : 'execute'}":${JSON.stringify(command)}${member}`;
    const [rest, byMessage, fanOut, rpc, monitor] = await Promise.all([
      oob ? Promise.resolve('') : this.#post(`/v1/vms/${this.vm}/qmp/${command}`, args),
      this.#post(`/v1/vms/${this.vm}/qmp`, `${message}}`),
      oob ? Promise.resolve('') : this.#fanOut(command, args),
      this.#execute(command, member, oob),
      this.#say(message),
    ]);
    return {
      // Neither has a form for out-of-band.
      rest: oob ? byMessage : rest,
      'fan-out': oob ? byMessage : fanOut,
      message: byMessage,
      'json-rpc': rpc,
      monitor,
    };
  }

  async #post(path: string, body: string | undefined): Promise<string> {
    const answer = await exchange(this.#gateway, path, { method: 'POST', ...(body === undefined ? {} : { body }) });
    this.received += answer.text;
    return answer.status === 200 ? 'done' : String(answer.json()['code']);
  }

  async #fanOut(command: string, body: string | undefined): Promise<string> {
    const path = `/v1/qmp/${command}?vm=${this.vm}`;
    const answer = await exchange(this.#gateway, path, { method: 'POST', ...(body === undefined ? {} : { body }) });
    this.received += answer.text;
    if (answer.status !== 200) return String(answer.json()['code']);
    const [line] = answer.text.split('\n');
    const { problem } = JSON.parse(line ?? '') as { problem?: { code: string } };
    return problem?.code ?? 'done';
  }

  async #execute(command: string, member: string, oob: boolean): Promise<string> {
    const params = `{"vm":"${this.vm}","command":${JSON.stringify(command)}${member}${oob ? ',"oob":true' : ''}}`;
    const { error, text } = await this.#rpc.request('execute', params);
    this.received += text;
    return error === undefined ? 'done' : String(error.data?.['code']);
  }

  /** @param open a message without its closing brace */
  async #say(open: string): Promise<string> {
    const id = ++this.#last;
    const answered = new Promise<Record<string, unknown>>((resolve) => this.#waiting.set(id, resolve));
    this.#monitor.send(`${open},"id":${id}}`);
    const { error } = (await answered) as { error?: { desc: string } };
    if (error === undefined) return 'done';
    return / \(rule \S+: /.test(error.desc) ? 'forbidden' : 'error';
  }
}
