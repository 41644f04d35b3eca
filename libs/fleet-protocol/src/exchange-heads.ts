/** The release of what nodes say to each other; a node says in its heartbeats which ones it speaks. */
export const protocolVersion = 1;

/** Whom a request is for, as the node that authenticated them says it. The owner of the VM narrows it by its own rules. */
export interface SentPrincipal {
  readonly id: string;
  readonly name: string;
  readonly level: string;
  readonly vms: readonly string[];
  readonly commands?: { readonly allow?: readonly string[]; readonly deny?: readonly string[] };
  readonly endpoints?: readonly string[];
  readonly operatorEndpoints?: readonly string[];
}

/** The head of a request: its body is HTTP/1.1 as the owner's own listeners take it, or the beginning of it. */
export interface RequestHead {
  readonly v: number;
  /** Names the exchange among those of the asking node; letters and digits. */
  readonly id: string;
  /** The run of the owner that the asking node knows: another one does not take it. */
  readonly run: string;
  /** On the owner's monotonic clock, in milliseconds: it is not begun later. */
  readonly until: number;
  /** On the same clock: its command is not written later. */
  readonly notAfter?: number | undefined;
  /** The VM that it is about. */
  readonly vm: string;
  /** The id that the operation of its command will have. */
  readonly operation: string;
  readonly principal: SentPrincipal;
  /** More of the body follows. */
  readonly more?: boolean | undefined;
  /** It asks for another protocol: after the answer both sides speak for as long as they like. */
  readonly upgrade?: boolean | undefined;
}

/** Why the owner did not take a request. Nothing was sent to the VM. */
export const refusals = ['expired', 'other-run', 'not-here', 'seen', 'busy', 'malformed', 'version'] as const;
export type Refusal = (typeof refusals)[number];

/** The head of everything that follows a request, in both directions. */
export type PartHead =
  /** Bytes, counted from 0. */
  | { readonly kind: 'bytes'; readonly index: number; readonly last?: LastPart }
  /** So many parts have been used. */
  | { readonly kind: 'taken'; readonly count: number }
  /** There will be no more, and what came is not whole. */
  | { readonly kind: 'broken' }
  /** The credentials of whoever asked are no longer good. */
  | { readonly kind: 'revoked' }
  /** `at`: the owner's monotonic clock, in milliseconds, by which an asker that knew it not or wrongly may ask again. */
  | { readonly kind: 'refused'; readonly why: Refusal; readonly at?: number };

/** What the last part says of all. */
export interface LastPart {
  readonly bytes: number;
  /** Hexadecimal; absent where one part is all there is, and where both sides speak on for as long as they like. */
  readonly sha256?: string;
}

const idPattern = /^[A-Za-z0-9]{1,64}$/;
const operationPattern = /^[A-Za-z0-9-]{1,80}$/;

/** @returns undefined for what is no such head; members that are not known are passed over */
export function readRequestHead(head: Readonly<Record<string, unknown>>): RequestHead | undefined {
  const { v, id, run, until, notAfter, vm, operation, more, upgrade } = head;
  const principal = readPrincipal(head['principal']);
  const isRight =
    typeof v === 'number' &&
    isMatch(id, idPattern) &&
    isMatch(run, idPattern) &&
    isMoment(until) &&
    (notAfter === undefined || isMoment(notAfter)) &&
    typeof vm === 'string' &&
    isMatch(operation, operationPattern) &&
    isFlag(more) &&
    isFlag(upgrade);
  if (!isRight || principal === undefined) return undefined;
  return { v, id, run, until, notAfter, vm, operation, principal, more, upgrade };
}

/** @returns undefined for what is no such head */
export function readPartHead(head: Readonly<Record<string, unknown>>): PartHead | undefined {
  const { kind, index, count, why, at } = head;
  switch (kind) {
    case 'bytes': {
      if (!isCount(index)) return undefined;
      if (head['last'] === undefined) return { kind, index };
      const last = readLast(head['last']);
      return last === undefined ? undefined : { kind, index, last };
    }
    case 'taken':
      return isCount(count) ? { kind, count } : undefined;
    case 'broken':
    case 'revoked':
      return { kind };
    case 'refused':
      // A reason of a later release is a reason all the same.
      return { kind, why: refusals.find((known) => known === why) ?? 'busy', ...(isMoment(at) ? { at } : {}) };
    default:
      return undefined;
  }
}

function readLast(last: unknown): LastPart | undefined {
  if (typeof last !== 'object' || last === null) return undefined;
  const { bytes, sha256 } = last as Record<string, unknown>;
  if (!isCount(bytes)) return undefined;
  if (sha256 === undefined) return { bytes };
  return isMatch(sha256, /^[0-9a-f]{64}$/) ? { bytes, sha256 } : undefined;
}

function readPrincipal(value: unknown): SentPrincipal | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, name, level, vms, commands, endpoints, operatorEndpoints } = value as Record<string, unknown>;
  if (typeof id !== 'string' || typeof name !== 'string' || typeof level !== 'string' || !isTexts(vms))
    return undefined;
  if (!isTextsIfAny(endpoints) || !isTextsIfAny(operatorEndpoints)) return undefined;
  const globs = readGlobs(commands);
  if (globs === null) return undefined;
  return {
    ...{ id, name, level, vms },
    ...(globs === undefined ? {} : { commands: globs }),
    ...(endpoints === undefined ? {} : { endpoints }),
    ...(operatorEndpoints === undefined ? {} : { operatorEndpoints }),
  };
}

/** @returns null for what can't be read: rules that are lost would permit more */
function readGlobs(value: unknown): SentPrincipal['commands'] | null {
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null) return null;
  const { allow, deny } = value as Record<string, unknown>;
  if (!isTextsIfAny(allow) || !isTextsIfAny(deny)) return null;
  return { ...(allow === undefined ? {} : { allow }), ...(deny === undefined ? {} : { deny }) };
}

function isMatch(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function isMoment(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isFlag(value: unknown): value is boolean | undefined {
  return value === undefined || typeof value === 'boolean';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isTextsIfAny(value: unknown): value is string[] | undefined {
  return value === undefined || isTexts(value);
}
