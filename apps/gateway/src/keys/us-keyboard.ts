/** Keys pressed together, by QEMU's names (QKeyCode). */
export type Stroke = readonly string[];

/** Keys of the US layout whose character has a name of its own: without and with shift. */
const named: readonly (readonly [key: string, plain: string, shifted: string])[] = [
  ['grave_accent', '`', '~'],
  ['minus', '-', '_'],
  ['equal', '=', '+'],
  ['bracket_left', '[', '{'],
  ['bracket_right', ']', '}'],
  ['backslash', '\\', '|'],
  ['semicolon', ';', ':'],
  ['apostrophe', "'", '"'],
  ['comma', ',', '<'],
  ['dot', '.', '>'],
  ['slash', '/', '?'],
];
const shiftedDigits = ')!@#$%^&*(';

const strokes: ReadonlyMap<string, Stroke> = new Map<string, Stroke>([
  [' ', ['spc']],
  ['\n', ['ret']],
  ['\t', ['tab']],
  ...named.flatMap(([key, plain, shifted]): [string, Stroke][] => [
    [plain, [key]],
    [shifted, ['shift', key]],
  ]),
  ...Array.from(shiftedDigits).flatMap((shifted, digit): [string, Stroke][] => [
    [String(digit), [String(digit)]],
    [shifted, ['shift', String(digit)]],
  ]),
  ...Array.from('abcdefghijklmnopqrstuvwxyz').flatMap((letter): [string, Stroke][] => [
    [letter, [letter]],
    [letter.toUpperCase(), ['shift', letter]],
  ]),
]);

/** A character that no key of the US layout makes. */
export interface Untypable {
  /** In characters, from 0. */
  readonly position: number;
  readonly codePoint: number;
}

/**
 * The strokes that type a text on a keyboard with US layout; a line end is one press of Enter, in any form. The layout
 * that the guest has set decides which characters they make.
 */
export function strokesOf(text: string): readonly Stroke[] | Untypable {
  const typed: Stroke[] = [];
  for (const character of text.replaceAll(/\r\n?/g, '\n')) {
    const stroke = strokes.get(character);
    if (stroke === undefined) return { position: typed.length, codePoint: character.codePointAt(0) ?? 0 };
    typed.push(stroke);
  }
  return typed;
}
