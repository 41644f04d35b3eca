import { Form } from '@patternfly/react-core';
import { useMemo, type SyntheticEvent } from 'react';
import type { CommandForm } from './command-form.js';
import type { Edit, FieldPath } from './edits.js';
import type { ObjectState } from './field-state.js';
import { FormContext, type FieldNote, type FormSurroundings } from './form-context.js';
import { ObjectFieldsView } from './object-fields-view.js';
import { OpenMembersControl } from './open-members-control.js';
import './forms.css';

export interface ArgumentsFormProps extends Pick<FormSurroundings, 'suggestions' | 'properties'> {
  readonly form: CommandForm;
  readonly state: ObjectState;
  readonly notes: ReadonlyMap<string, readonly FieldNote[]>;
  readonly onEdit: (path: FieldPath, edit: Edit) => void;
  /** Enter was pressed in a field. */
  readonly onSubmit: () => void;
}

/** The form of a command's arguments. */
export function ArgumentsForm({ form, state, notes, onEdit, onSubmit, suggestions, properties }: ArgumentsFormProps) {
  const surroundings = useMemo(
    () => ({ form, edit: onEdit, notes, suggestions, properties }),
    [form, onEdit, notes, suggestions, properties],
  );
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <FormContext value={surroundings}>
      <Form onSubmit={submit} aria-label={`Arguments of ${form.command.name}`} noValidate>
        <ObjectFieldsView type={form.root} state={state} path={[]} depth={0} />
        {form.open || state.open.length > 0 ? <OpenMembersControl open={state.open} /> : null}
      </Form>
    </FormContext>
  );
}
