import { clearScreenDown, createInterface, cursorTo, moveCursor, type Interface } from 'node:readline';
import type { ReadStream, WriteStream } from 'node:tty';
import { columnsOf } from '../output/terminal-text.js';

/** What the completer of Node's readline returns: what fits, and the text that it takes the place of. */
export type Completions = [texts: string[], typed: string];

export interface PromptOptions {
  readonly input: ReadStream;
  readonly output: WriteStream;
  /** The newest first. */
  readonly history: string[];
  readonly complete: (line: string) => Promise<Completions>;
  readonly historyChanged: (lines: string[]) => void;
}

/** Lines that were pasted and wait for those before them; what is more is dropped. */
const mostWaiting = 10_000;

/** A line that is being typed, with other lines coming in above it. */
export class PromptTerminal {
  readonly #interface: Interface;
  readonly #waiting: string[] = [];
  #hasEnded = false;
  #isQuestion = false;
  /** Set while a line is asked for. Undefined stands for the end. */
  #answer: ((line: string | undefined) => void) | undefined;
  #cancelled: (() => void) | undefined;

  constructor(private readonly options: PromptOptions) {
    const { input, output, history, complete } = options;
    this.#interface = createInterface({
      ...{ input, output, history, historySize: 1000, removeHistoryDuplicates: true, tabSize: 8 },
      completer: (line: string, done: (error: null, completions: Completions) => void) => {
        complete(line).then(
          (completions) => done(null, completions),
          () => done(null, [[], line]),
        );
      },
    });
    this.#interface.on('history', (lines) => {
      // An answer is no command.
      if (this.#isQuestion) lines.shift();
      else options.historyChanged(lines);
    });
    this.#interface.on('line', (line) => this.#take(line));
    this.#interface.on('SIGINT', () => this.#cancel());
    this.#interface.on('close', () => {
      this.#hasEnded = true;
      this.#answer?.(undefined);
    });
  }

  /**
   * Shows the prompt and waits. Undefined: Ctrl-D.
   * @param interrupted called at Ctrl-C, which empties the line
   * @param options `isQuestion`: the answer is not kept in the history
   */
  ask(prompt: string, interrupted: () => void, { isQuestion = false } = {}): Promise<string | undefined> {
    this.#isQuestion = isQuestion;
    const next = this.#waiting.shift();
    if (next !== undefined) {
      // It was shown as it was typed, while something else ran.
      this.options.output.write(`${prompt}${next}\n`);
      return Promise.resolve(next);
    }
    if (this.#hasEnded) return Promise.resolve(undefined);
    this.#cancelled = interrupted;
    this.#interface.setPrompt(prompt);
    this.#interface.prompt();
    return new Promise((resolve) => {
      this.#answer = (line) => {
        // The next line may be in the same keystrokes.
        this.#answer = undefined;
        this.#cancelled = undefined;
        resolve(line);
      };
    });
  }

  #take(line: string): void {
    if (this.#answer !== undefined) this.#answer(line);
    else if (this.#waiting.length < mostWaiting) this.#waiting.push(line);
  }

  #cancel(): void {
    if (this.#cancelled === undefined) {
      // Something runs: what was pasted after it is not meant any more.
      this.#waiting.length = 0;
      return;
    }
    this.options.output.write('^C\n');
    // Both halves, should the cursor stand within the line.
    this.#interface.write(null, { ctrl: true, name: 'u' });
    this.#interface.write(null, { ctrl: true, name: 'k' });
    this.#cancelled();
    this.#answer?.('');
  }

  /** Calls back at Ctrl-C while no line is asked for. */
  whileRunning(interrupted: () => void): () => void {
    this.#interface.on('SIGINT', interrupted);
    return () => this.#interface.off('SIGINT', interrupted);
  }

  /** Writes whole lines above what is being typed, which stays as it is. */
  writeAbove(text: string): void {
    const { output } = this.options;
    if (this.#answer === undefined) {
      output.write(`${text}\n`);
      return;
    }
    const { rows, cols } = this.#interface.getCursorPos();
    // At the right edge a terminal waits for one more character before it goes to the next row.
    if (cols === 0 && rows > 0) output.write(' ');
    moveCursor(output, 0, -rows);
    cursorTo(output, 0);
    clearScreenDown(output);
    // Drawn again by hand, and the cursor put back: readline's own redrawing goes by where it drew last, which is wrong
    // after a paste.
    const line = this.#interface.getPrompt() + this.#interface.line;
    const end = endOf(line, output.columns);
    output.write(`${text}\n${line}${end.column === 0 ? ' ' : ''}`);
    moveCursor(output, 0, rows - end.row);
    cursorTo(output, cols);
  }

  close(): void {
    this.#interface.close();
  }
}

/** Where a text ends that begins at the left edge of a terminal. */
function endOf(text: string, columns: number): { readonly row: number; readonly column: number } {
  let [row, column] = [0, 0];
  for (const character of text) {
    const width = columnsOf(character);
    // A wide character does not go half over the edge.
    if (column + width > columns) [row, column] = [row + 1, 0];
    column += width;
    if (column === columns) [row, column] = [row + 1, 0];
  }
  return { row, column };
}
