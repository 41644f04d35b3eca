/** Types of commands: what each takes and returns, and how it is to be run. */
import { integerTable } from './generated/integer-table.js';
import type { Commands } from './generated/qapi-types.js';
import type { Level } from './resources.js';
import { lookUp, widenIntegers } from './wide-integers.js';

/** Commands in the types. Others work too: they take and return anything. */
export type CommandName = keyof Commands;

/** Commands that change nothing, which GET takes. */
export type QueryName = { [C in CommandName]: Commands[C]['class'] extends 'read' ? C : never }[CommandName];

/** A name from a list that is known, or any other; editors offer the list. */
export type OrOther<Name extends string> = Name | (string & Record<never, never>);

export type ArgumentsOf<C extends string> = C extends CommandName
  ? Accepted<Commands[C]['arguments']>
  : Readonly<Record<string, unknown>>;

export type ReturnOf<C extends string> = C extends CommandName ? Commands[C]['returns'] : unknown;

/** What may be passed where `T` is declared: an integer of 64 bits may be a number where that is safe. */
export type Accepted<T> = unknown extends T
  ? unknown
  : T extends bigint
    ? bigint | number
    : T extends object
      ? { readonly [K in keyof T]: Accepted<T[K]> }
      : T;

/** Arguments and options; the arguments can be left out where all of them are optional. */
export type Rest<C extends string, Options> =
  Record<string, never> extends ArgumentsOf<C>
    ? [args?: ArgumentsOf<C> | undefined, options?: Options]
    : [args: ArgumentsOf<C>, options?: Options];

export interface QueryOptions {
  /** How long the gateway waits for the VM: seconds, or a duration such as `500ms` or `10m`. Default: by command. */
  readonly timeout?: number | string | undefined;
  /** Written only in this session with the VM, else the problem `epoch-changed`. */
  readonly epoch?: string | undefined;
  /** Ends the wait. The command itself goes on: QMP has no cancel. */
  readonly signal?: AbortSignal | undefined;
}

export interface ExecuteOptions extends QueryOptions {
  /**
   * The same key with the same arguments within 10 minutes is done once, and answered alike; over a crash of the gateway
   * too, where the problem `outcome-unknown` says that it died before the reply.
   */
  readonly idempotencyKey?: string | undefined;
  readonly dryRun?: false | undefined;
}

/** What a dry run says: the message that would be sent, and the level it needs. */
export interface DryRun {
  readonly wouldSend: Readonly<Record<string, unknown>>;
  readonly class: Level;
}

/** A return value with what the gateway says beside it. */
export interface CommandAnswer<Returns> {
  readonly value: Returns;
  /** Session with the VM in which it ran. */
  readonly epoch: string | undefined;
  /** Position just before the command was written: its events come `after` it. */
  readonly cursor: string | undefined;
  /** The gateway's id for this command. */
  readonly operation: string | undefined;
  /** The stored answer to an earlier request with the same idempotency key. */
  readonly replayed: boolean;
}

/** A return value with the integers of its type. */
export function returnValue<C extends string>(command: C, value: unknown): ReturnOf<C> {
  return widenIntegers(value, integerTable, lookUp(integerTable.commands, command)) as ReturnOf<C>;
}
