import type { ExecLine } from '@qmp-gateway/client';

export type OutputStream = 'stdout' | 'stderr';

/** Part of what a program wrote. */
export interface OutputPart {
  readonly stream: OutputStream;
  readonly text: string;
}

/** What is known of a program so far. */
export interface ProgramState {
  readonly pid: number | undefined;
  readonly runningSeconds: number;
  readonly parts: readonly OutputPart[];
  /** Bytes that were not kept here, because there were too many. */
  readonly cutBytes: number;
  readonly exit: Extract<ExecLine, { readonly type: 'exited' }> | undefined;
  readonly problem: Extract<ExecLine, { readonly type: 'problem' }>['problem'] | undefined;
}

/** More than anybody reads; a page with more is slow. */
export const keptBytes = 5_000_000;

/** Before the first line of a run. */
export const notStarted: ProgramState = {
  ...{ pid: undefined, runningSeconds: 0, parts: [], cutBytes: 0, exit: undefined, problem: undefined },
};

/**
 * What is known after another line. Output is kept up to a bound; bytes that are no text are shown as such.
 * @param bound bytes of both streams together
 */
export function withLine(state: ProgramState, line: ExecLine, bound = keptBytes): ProgramState {
  switch (line.type) {
    case 'started':
      return { ...state, pid: line.pid };
    case 'running':
      return { ...state, pid: line.pid, runningSeconds: line.seconds };
    case 'exited':
      return { ...state, pid: line.pid, exit: line };
    case 'problem':
      return { ...state, pid: line.pid, problem: line.problem };
    case 'output':
      return withOutput(state, line.stream, 'text' in line ? line.text : textOfBase64(line.base64), bound);
  }
}

/** What a stream wrote, whole. */
export function textOf({ parts }: Pick<ProgramState, 'parts'>, stream: OutputStream): string {
  return parts
    .filter((part) => part.stream === stream)
    .map(({ text }) => text)
    .join('');
}

function withOutput(state: ProgramState, stream: OutputStream, text: string, bound: number): ProgramState {
  const room = bound - state.parts.reduce((sum, part) => sum + part.text.length, 0);
  const kept = text.slice(0, Math.max(0, room));
  return {
    ...state,
    parts: kept === '' ? state.parts : [...state.parts, { stream, text: kept }],
    cutBytes: state.cutBytes + text.length - kept.length,
  };
}

/** Bytes as text, with the sign for what is none in its place. */
function textOfBase64(base64: string): string {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}
