/** Types of commands: arguments, return values and options. */
import { integerTable } from './generated/integer-table.js';
import type { Commands } from './generated/qapi-types.js';
import type { Level } from './gateway-types.js';
import { lookUp, widenIntegers } from './wide-integers.js';

/** Commands in the types. Others work too: they accept and return anything. */
export type CommandName = keyof Commands;

/** Commands that change nothing, which can use GET. */
export type QueryName = { [C in CommandName]: Commands[C]['class'] extends 'read' ? C : never }[CommandName];

/** A name from the known list, or any other; editors offer the list. */
export type OrOther<Name extends string> = Name | (string & Record<never, never>);

export type ArgumentsOf<C extends string> = C extends CommandName
  ? Accepted<Commands[C]['arguments']>
  : Readonly<Record<string, unknown>>;

export type ReturnOf<C extends string> = C extends CommandName ? Commands[C]['returns'] : unknown;

/** What may be passed where `T` is declared: a 64-bit integer may be a safe number. */
export type Accepted<T> = unknown extends T
  ? unknown
  : T extends bigint
    ? bigint | number
    : T extends object
      ? { readonly [K in keyof T]: Accepted<T[K]> }
      : T;

/** Arguments and options; the arguments may be omitted if all of them are optional. */
export type Rest<C extends string, Options> =
  Record<string, never> extends ArgumentsOf<C>
    ? [args?: ArgumentsOf<C> | undefined, options?: Options]
    : [args: ArgumentsOf<C>, options?: Options];

export interface QueryOptions {
  /** How long the gateway waits for the VM: seconds, or a duration such as `500ms` or `10m`. Default: by command. */
  readonly timeout?: number | string | undefined;
  /** Sent only in this session with the VM, otherwise the problem `epoch-changed`. */
  readonly epoch?: string | undefined;
  /** Ends the wait. The command itself goes on: QMP has no cancel. */
  readonly signal?: AbortSignal | undefined;
}

export interface ExecuteOptions extends QueryOptions {
  /**
   * The same key with the same arguments within 10 minutes runs once and gets the same answer, even after a crash of
   * the gateway; then the problem `outcome-unknown` means that it crashed before the reply.
   */
  readonly idempotencyKey?: string | undefined;
  readonly dryRun?: false | undefined;
}

/** The result of a dry run: the message that would be sent, and the level it needs. */
export interface DryRun {
  readonly wouldSend: Readonly<Record<string, unknown>>;
  readonly class: Level;
}

/** A return value with the gateway's information about the command. */
export interface CommandAnswer<Returns> {
  readonly value: Returns;
  /** The session with the VM in which it ran. */
  readonly epoch: string | undefined;
  /** Cursor just before the command was written: its events come `after` it. */
  readonly cursor: string | undefined;
  /** The gateway's id for this command. */
  readonly operation: string | undefined;
  /** True for the stored answer to an earlier request with the same idempotency key. */
  readonly replayed: boolean;
}

/** A return value with the integers of its type. */
export function returnValue<C extends string>(command: C, value: unknown): ReturnOf<C> {
  return widenIntegers(value, integerTable, lookUp(integerTable.commands, command)) as ReturnOf<C>;
}
