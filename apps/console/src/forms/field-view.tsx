import { Button, FormFieldGroup, FormFieldGroupExpandable, FormFieldGroupHeader } from '@patternfly/react-core';
import { AlternateControl } from './alternate-control.js';
import { ChosenControl } from './chosen-control.js';
import { FieldNotes, useNotes } from './field-notes.js';
import { fieldId, type FieldPlace } from './field-place.js';
import type { FieldState } from './field-state.js';
import type { FormFieldType } from './field-types.js';
import { useForm } from './form-context.js';
import { ListControl } from './list-control.js';
import { ObjectFieldsView } from './object-fields-view.js';
import { WrittenControl } from './written-control.js';

/** Objects further down are closed until they are asked for: a schema may require them without end. */
const openDepth = 5;

export interface FieldViewProps {
  readonly type: FormFieldType;
  /** Undefined if it is left out. */
  readonly state: FieldState | undefined;
  readonly place: FieldPlace;
  /** What it takes, in a few words. */
  readonly info: string;
}

/** The control of one field, whatever its type. Fields with others inside show their own name. */
export function FieldView({ type, state, place, info }: FieldViewProps) {
  switch (type.kind) {
    case 'object':
      return state?.kind === 'object' ? (
        <GroupView place={place} info={info}>
          <ObjectFieldsView type={type} state={state} path={place.path} depth={place.depth + 1} />
        </GroupView>
      ) : (
        <AddButton place={place} info={info} />
      );
    case 'list':
      return state?.kind === 'list' ? (
        <GroupView place={place} info={info}>
          <ListControl element={type.element} state={state} place={place} />
        </GroupView>
      ) : (
        <AddButton place={place} info={info} />
      );
    case 'alternate':
      return <AlternateControl type={type} state={state} place={place} info={info} />;
    case 'boolean':
      return <ChosenControl values={booleans} value={chosen(state)} place={place} />;
    case 'enum':
      return <ChosenControl values={type.values} value={chosen(state)} place={place} />;
    case 'null':
      return state === undefined ? <AddButton place={place} info={info} /> : <NullView place={place} />;
    default:
      return <WrittenControl type={type} state={state} place={place} />;
  }
}

const booleans = ['true', 'false'];

function chosen(state: FieldState | undefined): string | undefined {
  return state?.kind === 'chosen' ? state.value : undefined;
}

/** An object or a list, with what is in it. */
function GroupView({
  place,
  info,
  children,
}: {
  readonly place: FieldPlace;
  readonly info: string;
  readonly children: React.ReactNode;
}) {
  const { edit } = useForm();
  const notes = useNotes(place.path);
  const id = fieldId(place.path);
  // What is in an alternate or in a list has the name of that, above it.
  if (place.label === '') return <FormFieldGroup>{children}</FormFieldGroup>;
  const header = (
    <FormFieldGroupHeader
      titleText={{ text: `${place.label}${place.isRequired ? ' *' : ''}`, id: `${id}~title` }}
      titleDescription={info}
      actions={
        place.isRequired ? null : (
          <Button variant="link" onClick={() => edit(place.path, { kind: 'leave-out' })}>
            Leave out<span className="pf-v6-screen-reader"> {place.label}</span>
          </Button>
        )
      }
    />
  );
  return (
    <FormFieldGroupExpandable
      isExpanded={place.depth < openDepth}
      toggleAriaLabel={`Fields of ${place.label}`}
      header={header}
    >
      {children}
      <FieldNotes id={`${id}~notes`} notes={notes} />
    </FormFieldGroupExpandable>
  );
}

/** For an optional field that is not a single control. */
export function AddButton({ place, info }: { readonly place: FieldPlace; readonly info: string }) {
  const { edit } = useForm();
  return (
    <div>
      <Button variant="link" isInline onClick={() => edit(place.path, { kind: 'include' })}>
        Add {place.label}
      </Button>{' '}
      <span className="qg-subtle">{info}</span>
    </div>
  );
}

function NullView({ place }: { readonly place: FieldPlace }) {
  const { edit } = useForm();
  return (
    <div>
      <span className="qg-mono">null</span>{' '}
      {place.isRequired ? null : (
        <Button variant="link" isInline onClick={() => edit(place.path, { kind: 'leave-out' })}>
          Leave out
        </Button>
      )}
    </div>
  );
}
