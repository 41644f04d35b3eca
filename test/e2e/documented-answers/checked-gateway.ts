import { once } from 'node:events';
import { connect } from 'node:net';
import type { OpenApiDocument } from '@qmp-gateway/qapi-openapi';
import type { GatewayProcess } from '../gateway-process.js';
import { exchange, type Exchange, type ExchangeOptions } from '../http-exchange.js';
import { DocumentCheck, type DocumentedOperation } from './document-check.js';
import { samples, type Sample, type SampleIds } from './samples.js';

/** What a request has in place of its sample's. */
export interface Change extends Omit<ExchangeOptions, 'method'> {
  readonly path?: string;
}

/** A gateway each of whose answers is compared with its document. */
export class CheckedGateway {
  vm = 'none';
  ids: SampleIds = { operation: 'none', token: 'none' };

  constructor(
    readonly gateway: GatewayProcess,
    readonly check: DocumentCheck,
  ) {}

  static async of(gateway: GatewayProcess): Promise<CheckedGateway> {
    const document = (await exchange(gateway, '/openapi.json')).json() as unknown as OpenApiDocument;
    return new CheckedGateway(gateway, new DocumentCheck(document));
  }

  sample(id: string): Sample {
    const found = samples(this.vm, this.ids)[id];
    if (found === undefined) throw new Error(`no sample of ${id}`);
    return found;
  }

  /** Sends the sample of an operation, changed, and checks the answer. */
  async ask(id: string, change: Change = {}): Promise<Exchange> {
    const { path, options } = this.#request(id, change);
    const answer = await exchange(this.gateway, path, options);
    this.check.check(id, answer);
    return answer;
  }

  /** Sends it as HEAD: what GET would answer, without its body. */
  async askHead(id: string, change: Change = {}): Promise<Exchange> {
    const { path, options } = this.#request(id, change);
    const answer = await exchange(this.gateway, path, { ...options, method: 'HEAD' });
    if (answer.status !== 405) this.check.check(id, answer, true);
    return answer;
  }

  /** The same, and must be answered with this status. */
  async askFor(status: number, id: string, change: Change = {}): Promise<Exchange> {
    const answer = await this.ask(id, change);
    if (answer.status !== status)
      this.check.faults.add(`${id}: ${answer.status} for ${status}: ${answer.text.slice(0, 300)}`);
    return answer;
  }

  /** For each operation with this documented status, those left out excepted. */
  async each(status: number, change: (operation: DocumentedOperation) => Change | undefined): Promise<void> {
    for (const operation of this.check.operations) {
      const changed = operation.statuses.includes(status) ? change(operation) : undefined;
      if (changed !== undefined) await this.askFor(status, operation.id, changed);
    }
  }

  /** Asks for the upgrade; resolves with the head of the answer, and its body where it has one. */
  async upgrade(id: string, change: Change = {}): Promise<Exchange> {
    const { path, options } = this.#request(id, change);
    const { host, port } = new URL(this.gateway.url);
    const socket = connect(Number(port), '127.0.0.1');
    const own = { Host: host, Authorization: `Bearer ${this.gateway.token ?? ''}` };
    const headers: NonNullable<ExchangeOptions['headers']> = { ...own, ...options.headers };
    const lines = [
      ...[`GET ${path} HTTP/1.1`, 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ...Object.entries(headers).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${String(value)}`])),
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    let text = '';
    const closed = once(socket, 'close');
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.startsWith('HTTP/1.1 101') && text.includes('\r\n\r\n')) socket.destroy();
    });
    await closed;
    const answer = parsed(text);
    this.check.check(id, answer);
    return answer;
  }

  #request(id: string, { path, ...change }: Change): { path: string; options: ExchangeOptions } {
    const { method } = this.check.operation(id);
    const { path: samplePath, ...sample } = this.sample(id);
    const headers = { ...sample.headers, ...change.headers };
    return { path: path ?? samplePath, options: { ...sample, ...change, method, headers } };
  }
}

/** An answer as it came over the wire; of 101 the head alone. */
export function parsed(text: string): Exchange {
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const status = Number(first.split(' ')[1]);
  const headers = Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(': ');
      return [line.slice(0, at).toLowerCase(), line.slice(at + 2)];
    }),
  );
  const content = status === 101 ? '' : body;
  return { status, headers, text: content, json: () => JSON.parse(content) as Record<string, unknown> };
}
