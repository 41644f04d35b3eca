import { once } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** A connection without a network, which keeps what is written to it. */
export class Wire extends Duplex {
  text = '';

  constructor(readonly remoteAddress = '192.0.2.1') {
    super();
  }

  override _read(): void {
    // Nothing comes but the request, which is parsed already.
  }

  setTimeout(): this {
    return this;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString('latin1');
    done();
  }
}

export interface RequestParts {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Names and values as they came; default those of `headers`. */
  readonly rawHeaders?: string[];
}

export interface HttpAnswer {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One HTTP request and the response to it, as Node.js hands them to a server. */
export class HttpExchange {
  readonly wire = new Wire();
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly #finished: Promise<unknown>;

  constructor(url: string, { method = 'GET', headers = {}, body, rawHeaders }: RequestParts = {}) {
    const socket = this.wire as unknown as Socket;
    const sent: Record<string, string> = { host: '127.0.0.1:8080', ...headers };
    if (body !== undefined) Object.assign(sent, { 'content-length': String(Buffer.byteLength(body)) });
    if (body !== undefined) sent['content-type'] ??= 'application/json';
    this.request = Object.assign(new IncomingMessage(socket), {
      ...{ method, url, headers: sent, rawHeaders: rawHeaders ?? Object.entries(sent).flat() },
      ...{ httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1, complete: true },
    });
    if (body !== undefined) this.request.push(body);
    this.request.push(null);
    this.response = new ServerResponse(this.request);
    this.response.assignSocket(socket);
    this.#finished = once(this.response, 'finish');
  }

  /** Whether anything was written. */
  get isAnswered(): boolean {
    return this.wire.text !== '';
  }

  /** The answer, when it is whole. */
  async answer(): Promise<HttpAnswer> {
    await this.#finished;
    return parseAnswer(this.wire.text);
  }
}

/** @param text the answer as written */
export function parseAnswer(text: string): HttpAnswer {
  const end = text.indexOf('\r\n\r\n');
  const [status = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
  return { status: Number(status.split(' ')[1]), headers, body: text.slice(end + 4) };
}
