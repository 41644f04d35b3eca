/** What the gateway answers and takes about guest agents. Later versions may add members. */
import type { ProblemDocument } from './gateway-problem.js';

export interface GuestAgent {
  /** `silent`: connected, but nobody in the guest answers. */
  readonly state: 'connecting' | 'ready' | 'silent' | 'busy' | 'waiting';
  readonly since: string;
  /** The session with the agent; opaque, never reused. */
  readonly epoch: string | null;
  readonly version: string | null;
  readonly schema: string | null;
  /** Those it has enabled. */
  readonly commands: readonly {
    readonly name: string;
    readonly class: 'read' | 'operate' | 'configure' | 'host';
    readonly summary: string | null;
  }[];
}

export interface ExecRequest {
  /** Of the program in the guest. */
  readonly path: string;
  readonly arg?: readonly string[];
  /** As `NAME=value`. */
  readonly env?: readonly string[];
  readonly input?: string;
  /** In place of `input`, where that is not text. */
  readonly inputBase64?: string;
  /** How long it is followed, seconds or a duration; default ten minutes. It goes on after that. */
  readonly timeout?: number | string;
}

/** What is known of a program by now. The last one is `exited` or `problem`. */
export type ExecLine =
  | { readonly type: 'started'; readonly pid: number; readonly operation: string }
  | { readonly type: 'running'; readonly pid: number; readonly seconds: number }
  | {
      readonly type: 'output';
      readonly stream: 'stdout' | 'stderr';
      /** When all of the stream is UTF-8. */
      readonly text?: string;
      readonly base64?: string;
    }
  | {
      readonly type: 'exited';
      readonly pid: number;
      readonly exitCode: number | null;
      /** That ended it; on Windows the exception. */
      readonly signal: number | null;
      readonly stdoutBytes: number;
      readonly stderrBytes: number;
      readonly stdoutTruncated: boolean;
      readonly stderrTruncated: boolean;
    }
  | { readonly type: 'problem'; readonly pid: number; readonly problem: ProblemDocument };

export interface WrittenFile {
  readonly path: string;
  readonly size: number;
  /** In hexadecimal digits. */
  readonly sha256: string;
  /** It was read back and is the same. */
  readonly verified: boolean;
}
