/** What an event `gap` says. */
export interface Gap {
  /** Null: of any VM. */
  readonly vm: string | null;
  /** Null where nobody knows. */
  readonly missed: number | null;
}

/** A gap for people: what is missing, and why. */
export interface GapWords {
  readonly title: string;
  readonly reason: string;
}

/** The data of an event as a gap; a gateway that says something else is not trusted to be right. */
export function gapOf(data: unknown): Gap {
  const { vm, missed } = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>;
  return {
    vm: typeof vm === 'string' ? vm : null,
    missed: typeof missed === 'number' || typeof missed === 'bigint' ? Number(missed) : null,
  };
}

/** @param count writes a number, for the browser's language */
export function gapWords({ vm, missed }: Gap, count: (number: number) => string): GapWords {
  const whose = vm === null ? '' : ` of ${vm}`;
  if (missed === null)
    return {
      title: `Events${whose} may be missing here; how many is not known`,
      reason: 'The gateway was restarted, or it no longer keeps the events that came in between.',
    };
  return {
    title: missed === 1 ? `1 event${whose} is missing here` : `${count(missed)} events${whose} are missing here`,
    reason: 'They came faster than this browser took them, and the gateway did not wait.',
  };
}
