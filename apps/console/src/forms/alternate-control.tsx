import { FormGroup, FormSelect, FormSelectOption } from '@patternfly/react-core';
import { FieldNotes, useNotes } from './field-notes.js';
import { fieldId } from './field-place.js';
import type { FieldViewProps } from './field-view.js';
import { FieldView } from './field-view.js';
import { typeLabel, type AlternateFieldType } from './field-types.js';
import { useForm } from './form-context.js';

/** First what the value is, then the value. */
export function AlternateControl({
  type,
  state,
  place,
  info,
}: Omit<FieldViewProps, 'type'> & { readonly type: AlternateFieldType }) {
  const { form, edit } = useForm();
  const notes = useNotes(place.path);
  const id = `${fieldId(place.path)}~kind`;
  const branch = state?.kind === 'alternate' ? state.branch : undefined;
  const name = branch === undefined ? undefined : type.branches[branch];
  const inner = name === undefined ? undefined : form.types.typeOf(name);
  const value = state?.kind === 'alternate' ? state.value : undefined;
  const control = (
    <FormSelect
      id={id}
      value={branch === undefined ? '' : String(branch)}
      aria-label={place.label === '' ? `item ${String(place.path.at(-1))} is` : `${place.label} is`}
      validated={branch === undefined && notes.some(({ kind }) => kind === 'fault') ? 'error' : 'default'}
      onChange={(_, chosen) =>
        edit(place.path, { kind: 'take-branch', branch: chosen === '' ? undefined : Number(chosen) })
      }
    >
      <FormSelectOption key="" value="" label={place.isRequired ? 'Choose what it is…' : 'not sent'} isPlaceholder />
      {type.branches.map((each, index) => (
        <FormSelectOption key={each} value={String(index)} label={branchLabel(typeLabel(form.types, each))} />
      ))}
    </FormSelect>
  );
  return (
    <div className="qg-fields">
      <FormGroup label={place.label} fieldId={id} isRequired={place.isRequired} labelInfo={info}>
        {control}
        {inner === undefined ? <FieldNotes id={`${id}~notes`} notes={notes} /> : null}
      </FormGroup>
      {inner === undefined ? null : (
        <div className="qg-inside">
          <FieldView type={inner} state={value} place={innerPlace(inner.kind, place)} info={info} />
        </div>
      )}
    </div>
  );
}

/** Objects and lists stand below the name of the alternate; other values need it for their control. */
function innerPlace(kind: string, place: FieldViewProps['place']): FieldViewProps['place'] {
  return { ...place, isRequired: true, label: kind === 'object' || kind === 'list' ? '' : place.label };
}

function branchLabel(label: string): string {
  return label === 'text' ? 'a text (such as a name)' : label;
}
