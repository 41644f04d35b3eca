/**
 * A JSON value as rows of a tree of which only what is open is walked: an answer of megabytes costs what is shown of it.
 */
import { pointerBelow } from '../../forms/json-text.js';

export interface AnswerRow {
  /** JSON pointer; of a part of a long list with its range. Unique. */
  readonly pointer: string;
  /** From 1. */
  readonly level: number;
  /** Member name, index, or range; undefined at the root. */
  readonly label: string | undefined;
  /** Text of a scalar; of an object or a list how much it holds. */
  readonly text: string;
  readonly kind: 'object' | 'list' | 'text' | 'number' | 'literal';
  /** Undefined for what cannot be opened. */
  readonly isOpen: boolean | undefined;
}

/** Longer lists open in parts. */
const partSize = 500;
/** Characters of a text in its row; the whole is in what is copied. */
const shownText = 1_000;

/** Rows of the value, from the root down. @param open the pointers that are open */
export function answerRows(value: unknown, open: ReadonlySet<string>): readonly AnswerRow[] {
  const rows: AnswerRow[] = [];
  addRows(rows, value, { pointer: '', level: 1, label: undefined }, open);
  return rows;
}

type Place = Pick<AnswerRow, 'pointer' | 'level' | 'label'>;

function addRows(rows: AnswerRow[], value: unknown, place: Place, open: ReadonlySet<string>): void {
  if (typeof value !== 'object' || value === null) {
    rows.push({ ...place, ...scalar(value), isOpen: undefined });
    return;
  }
  const isList = Array.isArray(value);
  const count = isList ? value.length : Object.keys(value).length;
  const isOpen = count === 0 ? undefined : open.has(place.pointer);
  rows.push({ ...place, kind: isList ? 'list' : 'object', text: summary(isList, count), isOpen });
  if (isOpen !== true) return;
  const level = place.level + 1;
  if (isList) addItems(rows, value, { ...place, level }, open);
  else
    for (const [name, member] of Object.entries(value))
      addRows(rows, member, { pointer: pointerBelow(place.pointer, name), level, label: name }, open);
}

function addItems(rows: AnswerRow[], items: readonly unknown[], { pointer, level }: Place, open: ReadonlySet<string>) {
  const addFrom = (first: number, end: number, itemLevel: number): void => {
    for (let index = first; index < end; index++) {
      const place = { pointer: pointerBelow(pointer, index), level: itemLevel, label: String(index) };
      addRows(rows, items[index], place, open);
    }
  };
  if (items.length <= partSize) {
    addFrom(0, items.length, level);
    return;
  }
  for (let first = 0; first < items.length; first += partSize) {
    const end = Math.min(first + partSize, items.length);
    // No pointer has two dots: an index is digits alone.
    const part = `${pointer}/${first}..${end - 1}`;
    const isOpen = open.has(part);
    const text = summary(true, end - first);
    rows.push({ pointer: part, level, label: `${first} … ${end - 1}`, kind: 'list', text, isOpen });
    if (isOpen) addFrom(first, end, level + 1);
  }
}

function summary(isList: boolean, count: number): string {
  if (isList) return count === 1 ? '1 item' : `${count} items`;
  return count === 1 ? '1 member' : `${count} members`;
}

function scalar(value: unknown): Pick<AnswerRow, 'text' | 'kind'> {
  if (typeof value === 'string') {
    const cut = value.length > shownText ? `${value.slice(0, shownText)}…` : value;
    return { kind: 'text', text: JSON.stringify(cut) };
  }
  if (typeof value === 'number' || typeof value === 'bigint') return { kind: 'number', text: String(value) };
  return { kind: 'literal', text: String(value) };
}

/** What is open at first: so far down that about `most` rows are shown. */
export function openAtFirst(value: unknown, most = 200): ReadonlySet<string> {
  let open: ReadonlySet<string> = new Set();
  for (;;) {
    const closed = answerRows(value, open).filter(({ isOpen }) => isOpen === false);
    if (closed.length === 0) return open;
    const next = new Set([...open, ...closed.map(({ pointer }) => pointer)]);
    if (answerRows(value, next).length > most) return open.size === 0 ? new Set(['']) : open;
    open = next;
  }
}
