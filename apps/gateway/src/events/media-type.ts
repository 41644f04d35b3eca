/** The forms events come in, the default first. */
export const eventMediaTypes = ['application/json', 'application/x-ndjson', 'text/event-stream'] as const;

export type EventMediaType = (typeof eventMediaTypes)[number];

interface MediaRange {
  readonly type: string;
  readonly quality: number;
  readonly int64: 'string' | 'number';
}

/**
 * What an `Accept` header asks for (RFC 9110, section 12.5.1): the most wanted form, by the range that names it most
 * exactly; of equally wanted ones the one that is named more exactly (`text/event-stream, *\/*` asks for the stream).
 * JSON when nothing of ours is acceptable: an answer is of more use than a refusal.
 */
export function negotiate(accept: string | undefined): { type: EventMediaType; int64: 'string' | 'number' } {
  const ranges = (accept ?? '*/*').split(',').map(parseRange);
  const [best] = eventMediaTypes
    .flatMap((type) => rangesFor(type, ranges).slice(0, 1))
    .filter(({ range }) => range.quality > 0)
    .toSorted((a, b) => b.range.quality - a.range.quality || b.exactness - a.exactness);
  return { type: best?.type ?? 'application/json', int64: best?.range.int64 ?? 'number' };
}

interface Match {
  readonly type: EventMediaType;
  readonly range: MediaRange;
  /** 2: by its name, 1: by its kind, 0: as anything. */
  readonly exactness: number;
}

/** The ranges that a type falls in, the most exact first. */
function rangesFor(type: EventMediaType, ranges: readonly MediaRange[]): Match[] {
  const patterns = ['*/*', `${type.slice(0, type.indexOf('/'))}/*`, type];
  return ranges
    .map((range) => ({ type, range, exactness: patterns.indexOf(range.type) }))
    .filter(({ exactness }) => exactness >= 0)
    .toSorted((a, b) => b.exactness - a.exactness);
}

function parseRange(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith('q='));
  return {
    type,
    quality: quality === undefined ? 1 : Number(quality.slice(2)) || 0,
    int64: parameters.includes('int64=string') ? 'string' : 'number',
  };
}
