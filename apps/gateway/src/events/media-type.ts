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
 * exactly. JSON when nothing of ours is acceptable: an answer is of more use than a refusal.
 */
export function negotiate(accept: string | undefined): { type: EventMediaType; int64: 'string' | 'number' } {
  const ranges = (accept ?? '*/*').split(',').map(parseRange);
  let best: { type: EventMediaType; int64: 'string' | 'number' } | undefined;
  let bestQuality = 0;
  for (const type of eventMediaTypes) {
    const range =
      ranges.find((one) => one.type === type) ??
      ranges.find((one) => one.type === `${type.slice(0, type.indexOf('/'))}/*`) ??
      ranges.find((one) => one.type === '*/*');
    if (range === undefined || range.quality <= bestQuality) continue;
    best = { type, int64: range.int64 };
    bestQuality = range.quality;
  }
  return best ?? { type: 'application/json', int64: 'number' };
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
