import { FormHelperText, HelperText, HelperTextItem } from '@patternfly/react-core';
import type { FieldPath } from './edits.js';
import { pointerOf } from './field-place.js';
import { useForm, type FieldNote } from './form-context.js';

const noNotes: readonly FieldNote[] = [];

export function useNotes(path: FieldPath): readonly FieldNote[] {
  return useForm().notes.get(pointerOf(path)) ?? noNotes;
}

/** What is wrong with a field, and what else there is to say of it. */
export function FieldNotes({
  id,
  notes,
  hint,
}: {
  readonly id: string;
  readonly notes: readonly FieldNote[];
  readonly hint?: string | undefined;
}) {
  if (notes.length === 0 && hint === undefined) return null;
  return (
    <FormHelperText id={id}>
      <HelperText>
        {notes.map(({ kind, text }) => (
          <HelperTextItem key={text} variant={kind === 'fault' ? 'error' : 'warning'}>
            {text}
          </HelperTextItem>
        ))}
        {hint === undefined ? null : <HelperTextItem>{hint}</HelperTextItem>}
      </HelperText>
    </FormHelperText>
  );
}
