import { get, type IncomingMessage } from 'node:http';
import { RawWebSocket } from '@qmp-gateway/test-kit';
import type { GatewayProcess } from '../e2e/gateway-process.js';
import { EventTally } from './event-tally.js';

/** A client that takes every event of a gateway and holds the stream to account. */
export interface EventSubscriber {
  readonly tally: EventTally;
  /** Takes nothing until `resume`. */
  pause(): void;
  resume(): void;
  /** Close code of a WebSocket; 0 for the end of a response, 1006 for one that broke off. */
  readonly closed: Promise<number>;
  close(): void;
}

const newLine = 0x0a;

/** By `/v1/ws`, from this position on. */
export async function subscribeBySocket(gateway: GatewayProcess, after: string): Promise<EventSubscriber> {
  const tally = new EventTally(after);
  let subscribed: (() => void) | undefined;
  const answered = new Promise<void>((resolve) => (subscribed = resolve));
  const client = await RawWebSocket.connect(
    `${gateway.url}/v1/ws`,
    ['qmp-gateway.v1'],
    gateway.token === undefined ? {} : { Authorization: `Bearer ${gateway.token}` },
    (chunk, bounds) => {
      // The first message is the answer to `subscribe`.
      const events = subscribed === undefined ? bounds : bounds.slice(2);
      subscribed?.();
      subscribed = undefined;
      tally.take(chunk, events);
    },
  );
  client.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscribe', params: { after } }));
  await answered;
  return {
    tally,
    pause: () => client.socket.pause(),
    resume: () => client.socket.resume(),
    closed: client.closed,
    close: () => client.destroy(),
  };
}

/** By `GET /v1/events` as NDJSON, from this position on. */
export async function subscribeByLines(gateway: GatewayProcess, after: string): Promise<EventSubscriber> {
  const tally = new EventTally(after);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = {
      Accept: 'application/x-ndjson',
      ...(gateway.token === undefined ? {} : { Authorization: `Bearer ${gateway.token}` }),
    };
    get(`${gateway.url}/v1/events?after=${after}`, { headers, agent: false }, resolve).on('error', reject);
  });
  let rest: Buffer = Buffer.alloc(0);
  response.on('data', (received: Buffer) => {
    const chunk = rest.length === 0 ? received : Buffer.concat([rest, received]);
    const bounds: number[] = [];
    let from = 0;
    for (let end = chunk.indexOf(newLine); end >= 0; end = chunk.indexOf(newLine, from)) {
      bounds.push(from, end);
      from = end + 1;
    }
    rest = chunk.subarray(from);
    tally.take(chunk, bounds);
  });
  response.on('error', () => undefined);
  return {
    tally,
    pause: () => response.pause(),
    resume: () => response.resume(),
    closed: new Promise((resolve) => response.on('close', () => resolve(response.complete ? 0 : 1006))),
    close: () => response.destroy(),
  };
}
