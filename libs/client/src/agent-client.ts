import type { GuestAgent, WrittenFile } from './generated/gateway-types.js';
import type { ExecLine, ExecRequest } from './gateway-types.js';
import type { QueryOptions } from './commands.js';
import { duration, milliseconds } from './duration.js';
import type { GatewayHttp, HttpRequest } from './gateway-http.js';
import { GatewayUnreachable } from './gateway-problem.js';
import { readJson } from './lossless-json.js';

export interface AgentOptions {
  /** Ends the wait; whatever was started in the guest goes on. */
  readonly signal?: AbortSignal | undefined;
}

const resourceDeadlineMs = 30_000;
/** Longer than any default deadline of the gateway for a command. */
const commandDeadlineMs = 11 * 60_000;
/** A program or a file sends something within this time, or the gateway is gone. */
const silenceMs = 2 * 60_000;
/** Default time limit for writing a whole file into the guest. */
const uploadMs = 3_600_000;
const graceMs = 30_000;

/** The agent in the guest of a VM. Its methods throw `GatewayProblem` or `GatewayUnreachable`. */
export class AgentClient {
  /** @param path of the agent's resources, encoded */
  constructor(
    private readonly path: string,
    private readonly http: GatewayHttp,
  ) {}

  /** State and commands of the agent, as the gateway knows them; sends nothing to the agent. */
  async get({ signal }: AgentOptions = {}): Promise<GuestAgent> {
    return (await this.#json({ method: 'GET', deadlineMs: resourceDeadlineMs, signal })) as GuestAgent;
  }

  /**
   * Runs an agent command, such as `guest-get-osinfo`.
   * @returns its value; integers that a number cannot hold are `bigint`
   */
  async execute(command: string, args?: object, { timeout, epoch, signal }: QueryOptions = {}): Promise<unknown> {
    return this.#json({
      method: 'POST',
      path: `/${encodeURIComponent(command)}`,
      body: args,
      headers: {
        ...(timeout === undefined ? {} : { 'Request-Timeout': duration(timeout) }),
        ...(epoch === undefined ? {} : { 'QMP-VM-Epoch': epoch }),
      },
      deadlineMs: timeout === undefined ? commandDeadlineMs : milliseconds(timeout) + graceMs,
      signal,
    });
  }

  /**
   * Runs a program in the guest and yields its progress until it has ended; its output comes at its end.
   * @throws GatewayUnreachable if the answer ends before the end of the program
   */
  async *exec(program: ExecRequest, { signal }: AgentOptions = {}): AsyncGenerator<ExecLine, void, undefined> {
    const { timeout, ...rest } = program;
    const body = timeout === undefined ? rest : { ...rest, timeout: duration(timeout) };
    const request = { method: 'POST', path: `${this.path}/exec`, body, deadlineMs: silenceMs, signal } as const;
    let hasEnded = false;
    for await (const lines of this.http.lines(request, 'application/x-ndjson')) {
      for (const line of lines) {
        const known = readJson(line) as ExecLine;
        hasEnded = known.type === 'exited' || known.type === 'problem';
        yield known;
      }
    }
    if (!hasEnded) throw new GatewayUnreachable('the answer was cut off');
  }

  /**
   * The bytes of a file of the guest, as they arrive.
   * @throws GatewayUnreachable also half way, if the file cannot be read to its end
   */
  async *readFile(path: string, { signal }: AgentOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const request = { method: 'GET', ...this.#file(path), deadlineMs: silenceMs, signal } as const;
    for await (const part of this.http.parts(request, 'application/octet-stream')) if (part.length > 0) yield part;
  }

  /**
   * Replaces the content of a file of the guest.
   * @param options `verify`: reads the file back and compares, unless false (pipes, devices); `timeout` for the whole
   * transfer, seconds or a duration, default an hour
   */
  async writeFile(
    path: string,
    bytes: Uint8Array<ArrayBuffer> | Blob,
    options: AgentOptions & {
      readonly verify?: boolean | undefined;
      readonly timeout?: number | string | undefined;
    } = {},
  ): Promise<WrittenFile> {
    const { verify, timeout, signal } = options;
    const file = this.#file(path);
    if (verify === false) file.query.set('verify', 'false');
    const deadlineMs = timeout === undefined ? uploadMs : milliseconds(timeout);
    return (await this.http.request({ method: 'PUT', ...file, bytes, deadlineMs, signal })).body as WrittenFile;
  }

  #file(path: string): { path: string; query: URLSearchParams } {
    return { path: `${this.path}/files`, query: new URLSearchParams({ path }) };
  }

  async #json(request: Omit<HttpRequest, 'path'> & { readonly path?: string }): Promise<unknown> {
    return (await this.http.request({ ...request, path: this.path + (request.path ?? '') })).body;
  }
}
