import type { CompletionKind } from '@qmp-gateway/catalog';
import type { Settlement, PeerObject } from '@qmp-gateway/qmp';
import type { Verdict, Work } from './work.js';

/** What rules may know of the VM. */
export interface FollowedVm {
  /** Wall-clock milliseconds. */
  readonly now: number;
  /** QAPI RunState; null while there is no session. */
  readonly runState: string | null;
  /** A reset is the end of this machine (StratoVirt's microVM); null where that is not known. */
  readonly resetEnds: boolean | null;
  /** True when the VM can send this event. */
  hasEvent(name: string): boolean;
}

/** A query whose answer tells how work is. Works with the same question share one. */
export interface Question {
  readonly command: string;
  /** The `arguments` object as JSON text. */
  readonly args?: string;
}

/** Why a question was asked: somebody looks, an event told of an end, a session was made, the deadline passed. */
export type Occasion = 'look' | 'event' | 'session' | 'deadline';

/** How the work of one kind of completion ends. The text of events and answers is QEMU's; members are checked, not trusted. */
export interface CompletionRule {
  /** Events that say something about such work. */
  readonly events: readonly string[];
  /**
   * What the work is about, from the arguments of its command.
   * @returns undefined when with these arguments the reply is the end
   */
  subject(args: PeerObject): string | undefined;
  /** True when the event is about this work. */
  concerns(work: Work, event: string, data: PeerObject): boolean;
  /**
   * @returns how it ended, `ask` when only the question can tell, or undefined: it goes on
   */
  event(work: Work, event: string, data: PeerObject, vm: FollowedVm): Verdict | 'ask' | undefined;
  /** What the reply alone tells. */
  replied?(work: Work, vm: FollowedVm): Verdict | 'ask' | undefined;
  question?(work: Work): Question;
  /** Reads an answer; `outcome` is a return value or an error. */
  answered?(work: Work, settlement: Settlement, occasion: Occasion, vm: FollowedVm): Verdict | undefined;
  /** Answers show progress. */
  readonly showsProgress?: boolean;
  /** Unless something says otherwise, no event tells the end: it is asked for once a second. */
  readonly mute?: boolean;
  /** The VM has ended, and said so. */
  vmEnded?(work: Work, vm: FollowedVm): Verdict | undefined;
  /** The session ended, and the VM may be gone with it: an end that it told of holds then. */
  sessionEnded?(work: Work): Verdict | undefined;
  /** Why it is too late; of kinds with a deadline. */
  late?(work: Work, vm: FollowedVm): string;
}

export type CompletionRules = Readonly<Record<CompletionKind, CompletionRule>>;
