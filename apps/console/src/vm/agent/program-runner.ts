import type { ExecLine, ExecRequest } from '@qmp-gateway/client';
import { Signal } from '../../api/signal.js';
import { notStarted, withLine, type ProgramState } from './program-output.js';
import { agentProblemWords } from './agent-problem-words.js';

/** The used part of the client. */
export interface ProgramSource {
  exec(program: ExecRequest, options: { readonly signal: AbortSignal }): AsyncIterable<ExecLine>;
}

/** `left`: nobody watches any more, and the program goes on. */
export type RunPhase = 'idle' | 'running' | 'ended' | 'left' | 'failed';

/** One program at a time in the guest, and what is known of it. */
export class ProgramRunner {
  readonly changed = new Signal();
  phase: RunPhase = 'idle';
  state: ProgramState = notStarted;
  why = '';
  #watching: AbortController | undefined;

  constructor(private readonly source: ProgramSource) {}

  /** Never rejects: what went wrong is in `why`. */
  async run(program: ExecRequest): Promise<void> {
    this.leave();
    const watching = new AbortController();
    this.#watching = watching;
    this.state = notStarted;
    this.why = '';
    this.#becomes('running');
    try {
      for await (const line of this.source.exec(program, { signal: watching.signal })) {
        if (this.#watching !== watching) return;
        this.state = withLine(this.state, line);
        this.changed.tell();
      }
      this.#becomes('ended');
    } catch (error) {
      if (this.#watching !== watching) return;
      this.why = agentProblemWords(error);
      this.#becomes('failed');
    }
  }

  /** Watches no more. A guest agent cannot end a program: it goes on. */
  leave(): void {
    const wasRunning = this.phase === 'running';
    this.#watching?.abort();
    this.#watching = undefined;
    if (wasRunning) this.#becomes('left');
  }

  #becomes(phase: RunPhase): void {
    this.phase = phase;
    this.changed.tell();
  }
}
