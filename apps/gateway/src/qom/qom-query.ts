import { onlyParameters } from '../listeners/query-parameters.js';
import { Problem, type Fault } from '../problems/problem.js';

/** Deeper than any machine; a cycle can't be: only parts are followed, never links. */
const deepest = 32;
/** A command costs the VM's main loop some 0.6 ms in QEMU 7.2. */
const usualBudget = 1000;
const largestBudget = 10_000;
const longestPattern = 200;

/** What of the tree below an object is wanted. */
export interface QomView {
  /** Levels below the object that are looked into; at that depth parts are only named. */
  readonly depth: number;
  /** Glob over types; with it, or `search`, only objects that fit are shown, and those on the way to them. */
  readonly type?: string;
  /** Text in the name of an object or of one of its properties, in lower case. */
  readonly search?: string;
  /** Whose property values are read: nobody's, those of the object itself, those of every object shown in full. */
  readonly values: 'none' | 'self' | 'all';
  /** The most commands sent to the VM. */
  readonly budget: number;
}

/** @throws Problem `invalid-request` with all faults of the query */
export function readQomView(query: string): QomView {
  const parameters = onlyParameters(query, ['depth', 'type', 'search', 'values', 'budget']);
  const faults: Fault[] = [];
  const given = (name: string): string | undefined => parameters.get(name) ?? undefined;
  const integer = (name: string, least: number, most: number): number | undefined => {
    const text = given(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    faults.push({ pointer: name, message: `must be an integer from ${least} to ${most}` });
    return undefined;
  };
  const pattern = (name: string): string | undefined => {
    const text = given(name);
    if (text === undefined || (text !== '' && text.length <= longestPattern)) return text;
    faults.push({ pointer: name, message: `must be 1 to ${longestPattern} characters` });
    return undefined;
  };
  const type = pattern('type');
  const search = pattern('search')?.toLowerCase();
  const depth = integer('depth', 0, deepest) ?? (type === undefined && search === undefined ? 0 : deepest);
  const budget = integer('budget', 1, largestBudget) ?? usualBudget;
  const values = given('values') ?? 'self';
  if (values !== 'none' && values !== 'self' && values !== 'all')
    faults.push({ pointer: 'values', message: 'must be none, self or all' });
  if (faults.length > 0)
    throw new Problem(
      'invalid-request',
      `The query cannot be read: ${faults.map(({ pointer, message }) => `${pointer} ${message}`).join('; ')}.`,
      { errors: faults },
    );
  return {
    depth,
    budget,
    values: values as QomView['values'],
    ...(type === undefined ? {} : { type }),
    ...(search === undefined ? {} : { search }),
  };
}
