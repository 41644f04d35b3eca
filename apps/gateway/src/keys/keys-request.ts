import { ArrayMaxSize, ArrayMinSize, IsArray, IsOptional, IsString, Length, Matches } from 'class-validator';
import { readDto } from '../listeners/dto-body.js';
import { Problem } from '../problems/problem.js';
import { parseDuration } from '../settings/duration.js';
import { strokesOf, type Stroke } from './us-keyboard.js';

const longestText = 1000;
const mostKeys = 8;
/** A guest that polls its keyboard sees a key held this long; half of it is QEMU's own default. */
const usualHoldMs = 20;
const longestHoldMs = 10_000;
/** Within which all is typed, unless the caller says otherwise. */
export const usualTimeoutMs = 60_000;
/** Of pauses in one request; the rest of the minute is for the VM's answers. */
const longestMs = 50_000;

class KeysBody {
  @IsOptional()
  @IsString()
  @Length(1, longestText)
  text?: unknown = undefined;

  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(mostKeys)
  @IsString({ each: true })
  @Length(1, 100, { each: true })
  keys?: unknown = undefined;

  @IsOptional()
  @IsString()
  @Matches(/^\d{1,12}(?:ms|s|m|h|d)?$/, { message: 'hold must be a duration such as 50ms or 2s' })
  hold?: unknown = undefined;
}

/** Strokes one after the other, and how long QEMU waits after each press and each release. */
export interface Keys {
  readonly strokes: readonly Stroke[];
  readonly holdMs: number;
}

/**
 * Reads the body of `POST …/keys`: `text` to type on a US keyboard, or `keys` to press together, by QEMU's names.
 * @throws Problem `invalid-request`, with the place of the first character that has no key
 */
export function readKeys(body: unknown): Keys {
  const { text, keys, hold } = readDto(KeysBody, body) as { text?: string; keys?: string[]; hold?: string };
  if ((text === undefined) === (keys === undefined)) throw invalid('', 'must have text or keys, one of the two');
  const holdMs = hold === undefined ? usualHoldMs : (parseDuration(hold) ?? Infinity);
  if (holdMs < 1 || holdMs > longestHoldMs) throw invalid('/hold', `must be 1ms to ${longestHoldMs / 1000}s`);
  const strokes = keys === undefined ? strokesOf(text ?? '') : [keys];
  if ('codePoint' in strokes) {
    const code = strokes.codePoint.toString(16).toUpperCase().padStart(4, '0');
    throw invalid('/text', `has no key for its character ${strokes.position + 1} (U+${code}) on a US keyboard`);
  }
  const totalMs = playMs({ strokes, holdMs });
  if (totalMs > longestMs) throw invalid('/hold', `makes this ${totalMs / 1000} s long; ${longestMs / 1000} s at most`);
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

function invalid(pointer: string, message: string): Problem {
  const detail = `The body cannot be read: ${pointer || 'it'} ${message}.`;
  return new Problem('invalid-request', detail, { errors: [{ pointer, message }] });
}
