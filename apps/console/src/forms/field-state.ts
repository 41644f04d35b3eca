/** What somebody has filled in. States never change: an edit makes a new one, which shares what stayed the same. */
import type { FormFieldType } from './field-types.js';

/** A member that the schema does not list, for commands that take such (`device_add`). */
export interface OpenMember {
  /** Tells rows apart; unique in its object. */
  readonly key: number;
  readonly name: string;
  /** `text` is sent as a string, `json` as it is written. */
  readonly as: 'text' | 'json';
  readonly text: string;
}

export interface ObjectState {
  readonly kind: 'object';
  /** A required member that is not here is blank; an optional one is left out. */
  readonly members: ReadonlyMap<string, FieldState>;
  readonly open: readonly OpenMember[];
}

export interface ListItem {
  /** Tells items apart while others are added and removed; unique in its list. */
  readonly key: number;
  readonly value: FieldState;
}

export interface ListState {
  readonly kind: 'list';
  readonly items: readonly ListItem[];
}

export interface AlternateState {
  readonly kind: 'alternate';
  /** Index of the branch; undefined before one is chosen. */
  readonly branch?: number;
  readonly value?: FieldState;
}

export type FieldState =
  /** Text, integer, number, free JSON: as typed. Without `text` it is blank; an empty text is a text. */
  | { readonly kind: 'written'; readonly text?: string }
  /** A value of an enum, or `true` and `false`. */
  | { readonly kind: 'chosen'; readonly value?: string }
  | { readonly kind: 'null' }
  | ListState
  | ObjectState
  | AlternateState;

export const blankObject: ObjectState = { kind: 'object', members: new Map(), open: [] };

/** The state of a field in which nothing is filled in. */
export function blankState(type: FormFieldType): FieldState {
  switch (type.kind) {
    case 'text':
    case 'integer':
    case 'number':
    case 'json':
      return { kind: 'written' };
    case 'boolean':
      return { kind: 'chosen' };
    case 'enum': {
      const [only, ...others] = type.values;
      return only !== undefined && others.length === 0 ? { kind: 'chosen', value: only } : { kind: 'chosen' };
    }
    case 'null':
      return { kind: 'null' };
    case 'list':
      return { kind: 'list', items: [] };
    case 'object':
      return blankObject;
    case 'alternate':
      return { kind: 'alternate' };
  }
}

/** A key that no row has. */
export function nextKey(rows: readonly { readonly key: number }[]): number {
  return rows.reduce((most, { key }) => Math.max(most, key), -1) + 1;
}
