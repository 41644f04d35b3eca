import type { FieldPath } from './edits.js';
import { pointerBelow } from './json-text.js';

/** Where a field stands in its form. */
export interface FieldPlace {
  readonly path: FieldPath;
  /** What it is called; empty for an item of a list. */
  readonly label: string;
  readonly isRequired: boolean;
  /** Objects around it. */
  readonly depth: number;
}

export function pointerOf(path: FieldPath): string {
  return path.reduce<string>(pointerBelow, '');
}

/** Id of its control, for labels. What belongs to it has this id with `~` and a word, which no pointer has. */
export function fieldId(path: FieldPath): string {
  return `argument${pointerOf(path)}`;
}
