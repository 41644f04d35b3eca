import { choice, text, wholeNumber } from '../http/resource/field-type.js';
import { Optional } from '../http/resource/shape.js';

/** Deeper than any machine; a cycle can't be: only parts are followed, never links. */
const deepest = 32;
/** A command costs the VM's main loop some 0.6 ms in QEMU 7.2. */
const usualBudget = 1000;
const largestBudget = 10_000;
const longestPattern = 200;
const valueChoices = ['none', 'self', 'all'] as const;

/** What of the tree below an object is wanted. */
export interface QomView {
  /** Levels below the object that are looked into; at that depth parts are only named. */
  readonly depth: number;
  /** Glob over types; with it, or `search`, only objects that fit are shown, and those on the way to them. */
  readonly type?: string;
  /** Text in the name of an object or of one of its properties, in lower case. */
  readonly search?: string;
  /** Whose property values are read: nobody's, those of the object itself, those of every object shown in full. */
  readonly values: (typeof valueChoices)[number];
  /** The most commands sent to the VM. */
  readonly budget: number;
}

/** Query of `GET /v1/vms/{vm}/qom` and of all below it. */
export class QomQuery {
  @Optional(wholeNumber({ least: 0, most: deepest }), 'Levels below that are looked into; default 0, with a filter all')
  depth: number | undefined = undefined;

  @Optional(
    text({ minLength: 1, maxLength: longestPattern }),
    'Glob: only objects of such types, and what leads to them',
  )
  type: string | undefined = undefined;

  @Optional(
    text({ minLength: 1, maxLength: longestPattern }),
    'Only objects with this text in their name or in that of a property; case does not matter',
  )
  search: string | undefined = undefined;

  @Optional(
    choice(valueChoices, { default: 'self' }),
    "Whose values are read: nobody's, those of the object itself, those of all that is shown",
  )
  values: QomView['values'] | undefined = undefined;

  @Optional(wholeNumber({ least: 1, most: largestBudget, default: usualBudget }), 'Most commands sent to the VM')
  budget: number | undefined = undefined;

  view(): QomView {
    const { type, search, values = 'self', budget = usualBudget } = this;
    const { depth = type === undefined && search === undefined ? 0 : deepest } = this;
    return {
      ...{ depth, budget, values },
      ...(type === undefined ? {} : { type }),
      ...(search === undefined ? {} : { search: search.toLowerCase() }),
    };
  }
}
