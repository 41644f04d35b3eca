import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { GatewayProcess } from './gateway-process.js';
import type { StreamedEvent } from './event-readers.js';

/** An answer as it came: its text, and what it says. */
export interface RpcAnswer {
  readonly text: string;
  readonly id?: number | null;
  readonly result?: unknown;
  readonly error?: { code: number; message: string; data?: Record<string, unknown> };
}

/** A client of `/v1/ws`: requests by number, notifications in their order. */
export class JsonRpcClient {
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: RpcAnswer) => void>();
  readonly #events: StreamedEvent[] = [];
  #arrived: (() => void) | undefined;
  #withoutId: ((answer: RpcAnswer) => void) | undefined;
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    socket.on('message', (data: Buffer) => this.#receive(data.toString()));
  }

  static async connect(gateway: GatewayProcess): Promise<JsonRpcClient> {
    const url = `${gateway.url.replace('http', 'ws')}/v1/ws`;
    const headers = { Authorization: `Bearer ${gateway.token ?? ''}` };
    const socket = new WebSocket(url, ['qmp-gateway.v1'], { headers });
    const client = new JsonRpcClient(socket);
    await once(socket, 'open');
    return client;
  }

  /** @param params JSON text, so that integers go as they are written. */
  request(method: string, params: string): Promise<RpcAnswer> {
    const id = ++this.#last;
    this.#socket.send(`{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${params}}`);
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  /** One that can't be read: its answer has no id. */
  unanswerable(method: string, params: string): Promise<RpcAnswer> {
    void this.request(method, params);
    return new Promise((resolve) => (this.#withoutId = resolve));
  }

  /** The next `count` event notifications. */
  async events(count: number): Promise<StreamedEvent[]> {
    while (this.#events.length < count) await new Promise<void>((resolve) => (this.#arrived = resolve));
    return this.#events.splice(0, count);
  }

  close(): void {
    this.#socket.terminate();
  }

  #receive(text: string): void {
    const message = JSON.parse(text) as Record<string, unknown>;
    if (message['method'] === 'event') {
      this.#events.push(message['params'] as StreamedEvent);
      this.#arrived?.();
      return;
    }
    if (message['id'] === null) this.#withoutId?.({ ...message, text });
    const id = message['id'] as number;
    this.#waiting.get(id)?.({ ...message, text });
    this.#waiting.delete(id);
  }
}
