import { styleOf, type Style } from './style.js';
import type { TextStream } from './text-stream.js';

const usualWidth = 80;

/** What a command writes: results on stdout, all else on stderr. */
export class Output {
  readonly style: Style;
  readonly errorStyle: Style;
  readonly #closing = new AbortController();

  constructor(
    private readonly stdout: TextStream,
    private readonly stderr: TextStream,
    readonly environment: NodeJS.ProcessEnv,
  ) {
    this.style = styleOf(stdout, environment);
    this.errorStyle = styleOf(stderr, environment);
    // Whoever read it has enough (`| head`): what is going on ends, what was begun is not told as failed.
    stdout.on('error', () => this.#closing.abort());
    stderr.on('error', () => undefined);
  }

  /** Aborted when nobody reads stdout any more. */
  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  get isTerminal(): boolean {
    return this.stdout.isTTY === true;
  }

  get isErrorTerminal(): boolean {
    return this.stderr.isTTY === true;
  }

  /** Columns that a line may take; undefined where lines are not cut. */
  get width(): number | undefined {
    if (!this.isTerminal) return undefined;
    return this.stdout.columns === undefined || this.stdout.columns < 20 ? usualWidth : this.stdout.columns;
  }

  /** A line of the result. */
  line(text: string): void {
    this.write(`${text}\n`);
  }

  write(data: string | Uint8Array): void {
    if (!this.closed.aborted) this.stdout.write(data);
  }

  /** A line that is not the result. */
  note(text: string): void {
    this.stderr.write(`${text}\n`);
  }

  /** Bytes or an unfinished line beside the result. */
  writeError(data: string | Uint8Array): void {
    this.stderr.write(data);
  }
}
