/** A character of client text that a message to a QMP server cannot contain. */
export interface UnreadableCharacter {
  /** UTF-16 units before it. */
  readonly offset: number;
  /** Its description, for a message: `noncharacter U+FFFE`. */
  readonly name: string;
}

const UNREADABLE = /[\p{Noncharacter_Code_Point}\p{Surrogate}]/u;

/**
 * The first character of a text that QEMU's JSON reader rejects, both raw and escaped: a noncharacter, or a surrogate
 * without its other half. JSON allows both (RFC 8259 section 8.2), but QEMU answers a message with one of them without
 * an id, so that nobody can attribute replies any more, and the session ends for all its callers.
 *
 * @returns undefined if there is none, as in nearly all texts
 */
export function findUnreadable(text: string): UnreadableCharacter | undefined {
  const match = UNREADABLE.exec(text);
  return match === null ? undefined : { offset: match.index, name: unreadableName(match[0].codePointAt(0) ?? 0) };
}

/** U+FDD0 to U+FDEF, and the last two code points of every plane (Unicode core specification, section 23.7). */
export function isNoncharacter(codePoint: number): boolean {
  return (codePoint & 0xfffe) === 0xfffe || (codePoint >= 0xfdd0 && codePoint <= 0xfdef);
}

/** @param codePoint one that `findUnreadable` found */
export function unreadableName(codePoint: number): string {
  const number = codePoint.toString(16).toUpperCase().padStart(4, '0');
  return `${isNoncharacter(codePoint) ? 'noncharacter' : 'lone surrogate'} U+${number}`;
}
