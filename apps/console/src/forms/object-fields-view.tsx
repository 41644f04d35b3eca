import { ExpandableSection, FormGroup, SearchInput } from '@patternfly/react-core';
import { useState } from 'react';
import { FieldView } from './field-view.js';
import { fieldId } from './field-place.js';
import type { FieldPath } from './edits.js';
import type { ObjectState } from './field-state.js';
import { typeLabel, type ObjectFieldType } from './field-types.js';
import { useForm } from './form-context.js';
import { formFields, stateOfMember, type FormField } from './object-fields.js';

/** So many optional fields are shown without being asked for, where nothing is required. */
const fewFields = 6;
/** More optional fields than these can be filtered. */
const fieldsToFilter = 12;

/** The fields of an object: those that are required, then those that are not. */
export function ObjectFieldsView({
  type,
  state,
  path,
  depth,
}: {
  readonly type: ObjectFieldType;
  readonly state: ObjectState;
  readonly path: FieldPath;
  readonly depth: number;
}) {
  const { form } = useForm();
  const fields = formFields(form.types, type, state);
  const required = fields.filter(({ optional }) => !optional);
  const optional = fields.filter((field) => field.optional);
  const view = (field: FormField) => (
    <MemberView key={field.name} field={field} state={state} path={path} depth={depth} />
  );
  return (
    <>
      {required.map(view)}
      {optional.length === 0 ? null : required.length === 0 && optional.length <= fewFields ? (
        optional.map(view)
      ) : (
        <OptionalFields key="optional" fields={optional} state={state} view={view} />
      )}
    </>
  );
}

function OptionalFields({
  fields,
  state,
  view,
}: {
  readonly fields: readonly FormField[];
  readonly state: ObjectState;
  readonly view: (field: FormField) => React.ReactNode;
}) {
  const set = fields.filter(({ name }) => state.members.has(name)).length;
  const [isOpen, setOpen] = useState(set > 0);
  const [filter, setFilter] = useState('');
  const words = filter.trim().toLowerCase();
  const shown = fields.filter(({ name }) => state.members.has(name) || name.toLowerCase().includes(words));
  const count = `${fields.length} optional ${fields.length === 1 ? 'field' : 'fields'}`;
  return (
    <ExpandableSection
      toggleText={set === 0 ? count : `${count}, ${set} set`}
      isExpanded={isOpen}
      onToggle={(_, expanded) => setOpen(expanded)}
      isIndented
    >
      {isOpen ? (
        <div className="qg-fields-beside">
          {fields.length > fieldsToFilter ? (
            <SearchInput
              value={filter}
              onChange={(_, value) => setFilter(value)}
              onClear={() => setFilter('')}
              placeholder="Filter by name"
              aria-label="Filter optional fields"
            />
          ) : null}
          {shown.map(view)}
        </div>
      ) : null}
    </ExpandableSection>
  );
}

function MemberView({
  field,
  state,
  path,
  depth,
}: {
  readonly field: FormField;
  readonly state: ObjectState;
  readonly path: FieldPath;
  readonly depth: number;
}) {
  const { form } = useForm();
  const type = form.types.typeOf(field.type);
  const below = [...path, field.name];
  const place = { path: below, label: field.name, isRequired: !field.optional, depth };
  const value = stateOfMember(form.types, field, state);
  const info = `${typeLabel(form.types, field.type)}${field.deprecated ? ', deprecated' : ''}`;
  if (type.kind === 'object' || type.kind === 'list' || type.kind === 'alternate')
    return <FieldView type={type} state={value} place={place} info={info} />;
  return (
    <FormGroup label={field.name} fieldId={fieldId(below)} isRequired={!field.optional} labelInfo={info}>
      <FieldView type={type} state={value} place={place} info={info} />
    </FormGroup>
  );
}
