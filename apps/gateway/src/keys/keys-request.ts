import { duration, list, text } from '../http/resource/field-type.js';
import { invalid } from '../http/resource/read-shape.js';
import { Optional, Shape } from '../http/resource/shape.js';
import { parseDuration } from '../settings/duration.js';
import { strokesOf, type Stroke } from './us-keyboard.js';

const longestText = 1000;
const mostKeys = 8;
/** A guest that polls its keyboard sees a key held this long; half of it is QEMU's own default. */
const usualHoldMs = 20;
/** Within which all is typed, unless the caller says otherwise. */
export const usualTimeoutMs = 60_000;
/** Of pauses in one request; the rest of the minute is for the VM's answers. */
const longestMs = 50_000;

/** Body of `POST /v1/vms/{vm}/keys`. */
@Shape('Keys', {
  closed: true,
  exactlyOneOf: ['text', 'keys'],
  examples: [{ text: 'root\n' }, { keys: ['ctrl', 'alt', 'delete'] }],
})
export class KeysRequest {
  @Optional(text({ minLength: 1, maxLength: longestText }), 'Typed on a keyboard of the US layout')
  text?: string;

  @Optional(
    list(text({ minLength: 1, maxLength: 100 }), { least: 1, most: mostKeys }),
    'Pressed together; names of QKeyCode',
  )
  keys?: readonly string[];

  @Optional(
    duration({ most: '10s', positive: true }),
    'Pause after each press and each release; default 20ms, in all 50 s at most',
  )
  hold?: string;
}

/** Strokes one after the other, and how long QEMU waits after each press and each release. */
export interface Keys {
  readonly strokes: readonly Stroke[];
  readonly holdMs: number;
}

/**
 * The keys of a body: `text` to type on a US keyboard, or `keys` to press together, by QEMU's names.
 * @throws Problem `invalid-request`, with the place of the first character that has no key, or when all of it takes too long
 */
export function readKeys({ text, keys, hold }: KeysRequest): Keys {
  const holdMs = parseDuration(hold ?? '') ?? usualHoldMs;
  const strokes = keys === undefined ? strokesOf(text ?? '') : [keys];
  if ('codePoint' in strokes) {
    const code = strokes.codePoint.toString(16).toUpperCase().padStart(4, '0');
    const message = `has no key for its character ${strokes.position + 1} (U+${code}) on a US keyboard`;
    throw invalid('body', [{ pointer: '/text', message }]);
  }
  const totalMs = playMs({ strokes, holdMs });
  if (totalMs > longestMs) {
    const message = `makes this ${totalMs / 1000} s long; ${longestMs / 1000} s at most`;
    throw invalid('body', [{ pointer: hold === undefined ? '/text' : '/hold', message }]);
  }
  return { strokes, holdMs };
}

/** How long QEMU takes over a stroke: each key goes down and up again, with a pause after either. */
export function strokeMs(stroke: Stroke, holdMs: number): number {
  return 2 * stroke.length * holdMs;
}

/** How long QEMU takes over all of them. */
export function playMs({ strokes, holdMs }: Keys): number {
  return strokes.reduce((sum, stroke) => sum + strokeMs(stroke, holdMs), 0);
}
