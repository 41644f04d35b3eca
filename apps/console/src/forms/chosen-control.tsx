import { FormSelect, FormSelectOption, TextInput } from '@patternfly/react-core';
import { useId } from 'react';
import { FieldNotes, useNotes } from './field-notes.js';
import { fieldId, type FieldPlace } from './field-place.js';
import { useForm } from './form-context.js';

/** More values than these are typed, with the first of them offered. */
const mostOptions = 400;

/** A field that is chosen: an enum, true or false. */
export function ChosenControl({
  values,
  value,
  place,
}: {
  readonly values: readonly string[];
  readonly value: string | undefined;
  readonly place: FieldPlace;
}) {
  const { edit } = useForm();
  const notes = useNotes(place.path);
  const listId = useId();
  const id = fieldId(place.path);
  const choose = (chosen: string): void =>
    edit(place.path, { kind: 'choose', value: chosen === '' ? undefined : chosen });
  const control = {
    id,
    value: value ?? '',
    validated: notes.some(({ kind }) => kind === 'fault') ? 'error' : 'default',
    'aria-label': place.label === '' ? `item ${String(place.path.at(-1))}` : place.label,
    'aria-describedby': `${id}~notes`,
    onChange: (_: unknown, chosen: string) => choose(chosen),
  } as const;
  return (
    <>
      {values.length > mostOptions ? (
        <>
          <TextInput {...control} list={listId} autoComplete="off" />
          <datalist id={listId}>
            {values.slice(0, mostOptions).map((each) => (
              <option key={each} value={each} />
            ))}
          </datalist>
        </>
      ) : (
        <FormSelect {...control}>
          <FormSelectOption key="" value="" label={place.isRequired ? 'Choose…' : 'not sent'} isPlaceholder />
          {values.map((each) => (
            <FormSelectOption key={`=${each}`} value={each} label={each} />
          ))}
        </FormSelect>
      )}
      <FieldNotes id={`${id}~notes`} notes={notes} />
    </>
  );
}
