import { asProblemDocument, GatewayProblem, GatewayUnreachable } from './gateway-problem.js';
import { readJson, writeJson } from './lossless-json.js';
import { Watchdog } from './watchdog.js';

/** The used part of the global `fetch`. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A bearer token, or a function that returns the current one for each request. */
export type Token = string | (() => string | Promise<string>);

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** From `/` on, encoded. */
  readonly path: string;
  readonly query?: URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** A body other than JSON, in place of `body`. */
  readonly bytes?: Uint8Array<ArrayBuffer> | Blob;
  /** Milliseconds until the whole answer has arrived; for a stream, until its head and then each part has arrived. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined for an answer without a body. */
  readonly body: unknown;
}

/** Characters of a line, bytes of an answer; twice what the gateway accepts from a VM by default. */
const longestLine = 128 * 1024 * 1024;
/** Bytes of a problem; something else than the gateway may answer with anything. */
const longestProblem = 4 * 1024 * 1024;

/** Requests to one gateway: credentials, lossless JSON, and an error for every failure that says what it means. */
export class GatewayHttp {
  constructor(
    /** Without a slash at the end. */
    readonly url: string,
    private readonly token: Token | undefined,
    private readonly fetch: Fetch,
  ) {}

  /** The current token. @throws what the function that returns it throws */
  async currentToken(): Promise<string | undefined> {
    return typeof this.token === 'function' ? await this.token() : this.token;
  }

  /**
   * @throws GatewayProblem if the gateway answers with one
   * @throws GatewayUnreachable if no answer of the gateway comes in time
   * @throws the reason of `signal` if that was aborted
   */
  async request(request: HttpRequest): Promise<HttpAnswer> {
    return this.#exchange(request, 'application/json', async (response) => {
      const text = new TextDecoder().decode(await wholeBody(response, longestLine));
      return { status: response.status, headers: response.headers, body: text === '' ? undefined : parse(text) };
    });
  }

  /** The body of an answer that is not JSON. @throws like {@link request} */
  bytes(request: HttpRequest, accept: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.#exchange(request, accept, (response) => wholeBody(response, longestLine));
  }

  /**
   * The lines of a stream as they arrive, a list for each chunk; the first list is empty and means that the gateway has
   * accepted the request. Nothing is read ahead of the consumer.
   * @throws like {@link request}
   */
  async *lines(request: HttpRequest, accept: string): AsyncGenerator<string[], void, undefined> {
    const decoder = new TextDecoder();
    let accepted = false;
    let rest = '';
    for await (const part of this.parts(request, accept)) {
      if (!accepted) {
        accepted = true;
        yield [];
        continue;
      }
      // Searches only new text: a line of many megabytes arrives in thousands of parts.
      const [first = '', ...others] = decoder.decode(part, { stream: true }).split('\n');
      const lines = [rest + first, ...others];
      rest = lines.pop() ?? '';
      if (rest.length > longestLine) throw new GatewayUnreachable('a line of the stream is too long');
      if (lines.length > 0) yield lines;
    }
  }

  /**
   * The bytes of an answer as they arrive; the first part is empty and means that the gateway has accepted the request.
   * Nothing is read ahead of the consumer.
   * @throws like {@link request}, also if the answer breaks off
   */
  async *parts(request: HttpRequest, accept: string): AsyncGenerator<Uint8Array, void, undefined> {
    const init = await this.#init(request, accept);
    const watchdog = new Watchdog(request.signal);
    try {
      watchdog.arm(request.deadlineMs);
      const { body } = await this.#send(request, init, watchdog);
      watchdog.disarm();
      yield new Uint8Array();
      const reader = body?.getReader();
      for (;;) {
        watchdog.arm(request.deadlineMs);
        const part = await reader?.read();
        watchdog.disarm();
        if (part === undefined || part.done) return;
        yield part.value;
      }
    } catch (error) {
      throw watchdog.explain(error);
    } finally {
      watchdog.end();
    }
  }

  async #exchange<T>(request: HttpRequest, accept: string, read: (response: Response) => Promise<T>): Promise<T> {
    const init = await this.#init(request, accept);
    const watchdog = new Watchdog(request.signal);
    try {
      watchdog.arm(request.deadlineMs);
      return await read(await this.#send(request, init, watchdog));
    } catch (error) {
      throw watchdog.explain(error);
    } finally {
      watchdog.end();
    }
  }

  async #init({ method, headers, body, bytes }: HttpRequest, accept: string): Promise<RequestInit> {
    const token = await this.currentToken();
    const text = body === undefined ? undefined : writeJson(body);
    return {
      method,
      headers: {
        Accept: accept,
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(text === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(bytes === undefined ? {} : { 'Content-Type': 'application/octet-stream' }),
        ...headers,
      },
      ...(text === undefined ? {} : { body: text }),
      ...(bytes === undefined ? {} : { body: bytes }),
    };
  }

  async #send({ path, query }: HttpRequest, init: RequestInit, { signal }: Watchdog): Promise<Response> {
    const search = query?.toString() ?? '';
    const response = await this.fetch(`${this.url}${path}${search === '' ? '' : `?${search}`}`, { ...init, signal });
    if (response.ok) return response;
    throw await failure(response);
  }
}

async function failure(response: Response): Promise<Error> {
  const { status, headers } = response;
  const isProblem = headers.get('content-type')?.startsWith('application/problem+json') === true;
  const problem = isProblem ? asProblemDocument(await problemIn(response)) : undefined;
  if (!isProblem) await response.body?.cancel().catch(() => undefined);
  if (problem !== undefined) return new GatewayProblem(problem);
  return new GatewayUnreachable(`something else than the gateway answered, with status ${status}`, { status });
}

/** @returns undefined for one that is too long to be one of the gateway */
async function problemIn(response: Response): Promise<unknown> {
  try {
    return parse(new TextDecoder().decode(await wholeBody(response, longestProblem)));
  } catch (error) {
    if (error instanceof GatewayUnreachable && error.message === tooLong) return undefined;
    throw error;
  }
}

const tooLong = 'the answer is too long';

/** All of an answer, which may have no end. @throws GatewayUnreachable beyond `most` bytes */
async function wholeBody({ body }: Response, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const reader = body?.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
    parts.push(part.value);
    length += part.value.length;
    if (length <= most) continue;
    await reader?.cancel();
    throw new GatewayUnreachable(tooLong);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function parse(text: string): unknown {
  try {
    return readJson(text);
  } catch (error) {
    throw new GatewayUnreachable('the answer is not JSON', { cause: error });
  }
}
