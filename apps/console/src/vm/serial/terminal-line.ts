import { GatewayClosed, isTerminalReply, type SerialClient, type SerialStream } from '@qmp-gateway/client';
import type { Terminal } from '@xterm/xterm';
import { Signal } from '../../api/signal.js';

/** Who types, and whether there is a connection. */
export interface SerialStanding {
  readonly isOpen: boolean;
  /** Null: nobody does yet. */
  readonly typist: string | null;
  readonly isMine: boolean;
  /** The newest thing the reader should know: what was not done, or why it ended. */
  readonly notice?: string | undefined;
}

/** A serial line in a terminal. It comes back after a loss, and says in the terminal what is missing. */
export class TerminalLine {
  readonly changed = new Signal();
  standing: SerialStanding = { isOpen: false, typist: null, isMine: false };
  readonly #stream: SerialStream;

  constructor(
    line: SerialClient,
    private readonly terminal: Pick<Terminal, 'write'>,
    view: boolean,
  ) {
    this.#stream = line.connect({ view });
    void this.#read();
  }

  /** Keys and what is pasted. Of what the terminal says by itself nothing makes somebody the typist who has not typed. */
  type(text: string): void {
    if (!this.standing.isMine && isTerminalReply(text)) return;
    if (!this.#stream.write(text)) this.#becomes({ notice: 'Not connected: what was typed went nowhere.' });
  }

  take(): void {
    this.#stream.take();
  }

  sendBreak(): void {
    this.#stream.sendBreak();
  }

  close(): void {
    this.#stream.close();
  }

  async #read(): Promise<void> {
    try {
      for await (const part of this.#stream) {
        if (part.kind === 'output') await new Promise<void>((written) => this.terminal.write(part.bytes, written));
        else if (part.kind === 'gap') this.terminal.write(missingOutput(part.bytes));
        else if (part.kind === 'typist') this.#becomes({ typist: part.typist, isMine: part.you, notice: undefined });
        else if (part.kind === 'refused') this.#becomes({ notice: part.reason });
        else this.#becomes({ isOpen: part.open, ...(part.open ? { notice: undefined } : {}) });
      }
    } catch (error) {
      const notice = error instanceof GatewayClosed || error instanceof Error ? error.message : String(error);
      this.#becomes({ isOpen: false, notice });
    }
  }

  #becomes(change: Partial<SerialStanding>): void {
    this.standing = { ...this.standing, ...change };
    this.changed.tell();
  }
}

/** Inverse, on a line of its own. */
export function missingOutput(bytes: number | null): string {
  const what = bytes === null ? 'output is missing here, nobody knows how much' : `${bytes} bytes are missing here`;
  return `\r\n\x1b[0;7m ${what} \x1b[0m\r\n`;
}
