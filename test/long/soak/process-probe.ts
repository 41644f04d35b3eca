import { on, once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { GatewayProcess } from '../../e2e/gateway-process.js';
import { WebSocket } from 'ws';

/**
 * The environment of a gateway to be measured: its inspector, at a free port of loopback, and memory that is freed goes
 * back to the system, as the unit and the image have it. By default the C library keeps 0 to 150 MB of it, by chance.
 */
export const measurable = { NODE_OPTIONS: '--inspect=127.0.0.1:0', MALLOC_MMAP_THRESHOLD_: '131072' } as const;

export interface Measurement {
  /** What JavaScript holds after a collection: the heap and what hangs on it. */
  readonly heapBytes: number;
  readonly residentBytes: number;
  readonly openFiles: number;
  /** What keeps the event loop alive: sockets, servers, watchers, timers. */
  readonly handles: number;
  /** Milliseconds of processor time since the process began. */
  readonly cpuMs: number;
}

const measuring =
  'JSON.stringify({ ...process.memoryUsage(), ...process.cpuUsage(), handles: process.getActiveResourcesInfo().length })';

/** Looks into the gateway's process from outside, so that what is measured is the product and nothing beside it. */
export class ProcessProbe {
  #last = 0;

  private constructor(
    private readonly gateway: GatewayProcess,
    private readonly socket: WebSocket,
  ) {}

  /** @param gateway started with {@link measurable} */
  static async attach(gateway: GatewayProcess): Promise<ProcessProbe> {
    const url = /^Debugger listening on (ws:\S+)$/m.exec(gateway.stderr())?.[1];
    if (url === undefined) throw new Error('the gateway has no inspector');
    const socket = new WebSocket(url);
    await once(socket, 'open');
    return new ProcessProbe(gateway, socket);
  }

  /** Collects garbage, twice because finalizers free things, then measures. */
  async measure(): Promise<Measurement> {
    for (let round = 0; round < 2; round++) await this.#ask('HeapProfiler.collectGarbage');
    const { result } = (await this.#ask('Runtime.evaluate', { expression: measuring })) as {
      result: { value: string };
    };
    const { heapUsed, external, rss, handles, user, system } = JSON.parse(result.value) as Record<string, number>;
    return {
      heapBytes: (heapUsed ?? NaN) + (external ?? NaN),
      residentBytes: rss ?? NaN,
      openFiles: readdirSync(`/proc/${this.gateway.process.pid}/fd`).length,
      handles: handles ?? NaN,
      cpuMs: ((user ?? NaN) + (system ?? NaN)) / 1000,
    };
  }

  close(): void {
    this.socket.terminate();
  }

  async #ask(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#last;
    this.socket.send(JSON.stringify({ id, method, params }));
    for await (const [data] of on(this.socket, 'message', { close: ['close'] }) as AsyncIterable<[Buffer]>) {
      const message = JSON.parse(data.toString()) as { id?: number; result?: unknown };
      if (message.id === id) return message.result;
    }
    throw new Error('the inspector is gone');
  }
}
