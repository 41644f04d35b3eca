import type { GatewayClient } from '@qmp-gateway/client';
import type { ReadStream } from 'node:tty';
import type { ConnectionFlags } from './connection.js';
import type { FailureContext } from './failure.js';
import { Output } from './output/output.js';
import { oneLine } from './output/terminal-text.js';

/** What every command works with: the streams of the process, and the way to the gateway. */
export class CommandContext {
  readonly output: Output;
  readonly stdin: ReadStream;
  readonly environment: NodeJS.ProcessEnv;
  /** Filled as more becomes known; failures are told with it. */
  readonly failure: { -readonly [Key in keyof FailureContext]: FailureContext[Key] };
  #interrupt: AbortController | undefined;

  /** @param program as the user called it */
  constructor(program: string, process: NodeJS.Process) {
    this.output = new Output(process.stdout, process.stderr, process.env);
    this.stdin = process.stdin;
    this.environment = process.env;
    this.failure = { program };
  }

  get program(): string {
    return this.failure.program;
  }

  /** @param needs `sockets`: for WebSockets */
  async connect(flags: ConnectionFlags, needs: { readonly sockets?: boolean } = {}): Promise<GatewayClient> {
    const { chooseConnection, connectTo } = await import('./connection.js');
    const choice = chooseConnection(flags, this.environment);
    this.failure.address = choice.address.text;
    this.failure.hasToken = choice.token !== undefined;
    return connectTo(choice, flags.debug === true ? (line) => this.output.note(oneLine(line)) : undefined, needs);
  }

  /**
   * Aborted at Ctrl-C, so that a command can say what goes on; a second one ends the process. Also aborted when nobody
   * reads stdout any more.
   */
  get interruption(): AbortSignal {
    if (this.#interrupt === undefined) {
      const interrupt = (this.#interrupt = new AbortController());
      process.on('SIGINT', () => {
        if (interrupt.signal.aborted) process.exit(130);
        interrupt.abort();
      });
      this.output.closed.addEventListener('abort', () => interrupt.abort());
    }
    return this.#interrupt.signal;
  }
}
