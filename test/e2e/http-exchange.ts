import { request, type IncomingHttpHeaders } from 'node:http';
import type { GatewayProcess } from './gateway-process.js';

export interface Exchange {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON. */
  json(): Record<string, unknown>;
}

export interface ExchangeOptions {
  readonly method?: string;
  /** Sent as they are, `Host` included; with the gateway's token unless there is an `Authorization` (null: none). */
  readonly headers?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly body?: string | Buffer;
}

/** One request through `node:http`, which unlike fetch lets a client say anything. A body is declared JSON unless said. */
export function exchange(gateway: GatewayProcess, path: string, options: ExchangeOptions = {}): Promise<Exchange> {
  const { body, method = body === undefined ? 'GET' : 'POST' } = options;
  const wanted: Record<string, string | readonly string[] | null> = {
    ...(gateway.token === undefined ? {} : { Authorization: `Bearer ${gateway.token}` }),
    ...(body === undefined
      ? {}
      : { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(body)) }),
    ...options.headers,
  };
  const headers = Object.entries(wanted).flatMap(([name, value]) =>
    value === null ? [] : [[name, value] as [string, string | string[]]],
  );
  return new Promise((resolve, reject) => {
    const sent = request(
      gateway.url + path,
      { method, headers: Object.fromEntries(headers), agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json: () => JSON.parse(text) as Record<string, unknown>,
          });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** What a problem says of itself, without what is different each time. */
export function problemOf(answer: Exchange): Record<string, unknown> {
  const { type, title, detail, instance, ...rest } = answer.json();
  return rest;
}
