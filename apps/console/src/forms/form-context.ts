import { createContext, useContext } from 'react';
import type { CommandForm } from './command-form.js';
import type { Edit, FieldPath } from './edits.js';

/** What is said below a field. */
export interface FieldNote {
  readonly kind: 'fault' | 'warning';
  readonly text: string;
}

/** A property that an object of the chosen type has, for commands that take such (`device_add`). */
export interface KnownProperty {
  readonly name: string;
  /** As the VM writes it: `uint32`, `OnOffAuto`. */
  readonly type: string;
  readonly description?: string | undefined;
}

/** What all fields of one form share. */
export interface FormSurroundings {
  readonly form: CommandForm;
  readonly edit: (path: FieldPath, edit: Edit) => void;
  /** By pointer. */
  readonly notes: ReadonlyMap<string, readonly FieldNote[]>;
  /** Values worth offering, by pointer: `/driver`. */
  readonly suggestions?: ReadonlyMap<string, readonly string[]> | undefined;
  /** Names for the members that the schema does not list. */
  readonly properties?: readonly KnownProperty[] | undefined;
}

export const FormContext = createContext<FormSurroundings | undefined>(undefined);

export function useForm(): FormSurroundings {
  const surroundings = useContext(FormContext);
  if (surroundings === undefined) throw new Error('outside of a form');
  return surroundings;
}
