import {
  Button,
  Flex,
  FlexItem,
  FormFieldGroup,
  FormFieldGroupHeader,
  FormSelect,
  FormSelectOption,
  TextInput,
} from '@patternfly/react-core';
import { MinusCircleIcon } from '@patternfly/react-icons/dist/esm/icons/minus-circle-icon.js';
import { PlusCircleIcon } from '@patternfly/react-icons/dist/esm/icons/plus-circle-icon.js';
import { useId } from 'react';
import { FieldNotes } from './field-notes.js';
import { nextKey, type OpenMember } from './field-state.js';
import { useForm, type KnownProperty } from './form-context.js';
import { pointerBelow } from './json-text.js';

/** Members that the schema does not list: name, kind and value. */
export function OpenMembersControl({ open }: { readonly open: readonly OpenMember[] }) {
  const { edit, properties = [] } = useForm();
  const listId = useId();
  const set = (rows: readonly OpenMember[]): void => edit([], { kind: 'set-open', open: rows });
  return (
    <FormFieldGroup
      header={
        <FormFieldGroupHeader
          titleText={{ text: 'Properties', id: 'open-members' }}
          titleDescription="The command takes more than its schema lists: what, depends on the type of the device or object."
        />
      }
    >
      <datalist id={listId}>
        {properties.map(({ name, type }) => (
          <option key={name} value={name} label={type} />
        ))}
      </datalist>
      {open.map((row, index) => (
        <OpenMemberRow
          key={row.key}
          row={row}
          index={index}
          listId={listId}
          onChange={(changed) => set(open.map((each) => (each.key === row.key ? changed : each)))}
          onRemove={() => set(open.filter(({ key }) => key !== row.key))}
        />
      ))}
      <div>
        <Button
          variant="link"
          isInline
          icon={<PlusCircleIcon />}
          onClick={() => set([...open, { key: nextKey(open), name: '', as: 'text', text: '' }])}
        >
          Add a property
        </Button>
      </div>
    </FormFieldGroup>
  );
}

function OpenMemberRow({
  row,
  index,
  listId,
  onChange,
  onRemove,
}: {
  readonly row: OpenMember;
  readonly index: number;
  readonly listId: string;
  readonly onChange: (row: OpenMember) => void;
  readonly onRemove: () => void;
}) {
  const { notes, properties = [] } = useForm();
  const { name, as, text } = row;
  const label = name === '' ? `property ${index + 1}` : name;
  const known = properties.find((each) => each.name === name);
  return (
    <div>
      <Flex flexWrap={{ default: 'nowrap' }} gap={{ default: 'gapSm' }}>
        <FlexItem flex={{ default: 'flex_2' }}>
          <TextInput
            value={name}
            list={listId}
            autoComplete="off"
            placeholder="Name"
            aria-label={`Name of property ${index + 1}`}
            onChange={(_, value) => onChange(named(row, value, properties))}
          />
        </FlexItem>
        <FlexItem flex={{ default: 'flex_1' }}>
          <FormSelect
            value={as}
            aria-label={`Kind of ${label}`}
            onChange={(_, value) => onChange({ ...row, as: value === 'json' ? 'json' : 'text' })}
          >
            <FormSelectOption value="text" label="text" />
            <FormSelectOption value="json" label="number, true, false or other JSON" />
          </FormSelect>
        </FlexItem>
        <FlexItem flex={{ default: 'flex_3' }}>
          <TextInput
            value={text}
            autoComplete="off"
            spellCheck={false}
            placeholder="Value"
            aria-label={`Value of ${label}`}
            onChange={(_, value) => onChange({ ...row, text: value })}
          />
        </FlexItem>
        <Button variant="plain" icon={<MinusCircleIcon />} aria-label={`Remove ${label}`} onClick={onRemove} />
      </Flex>
      <FieldNotes id={`open-${row.key}-notes`} notes={notes.get(pointerBelow('', name)) ?? []} hint={hintOf(known)} />
    </div>
  );
}

/** The kind follows what the VM says of a property of this name. */
function named(row: OpenMember, name: string, properties: readonly KnownProperty[]): OpenMember {
  const type = properties.find((each) => each.name === name)?.type;
  if (type === undefined) return { ...row, name };
  return { ...row, name, as: /^(?:u?int\d*|bool|size|number)$/.test(type) ? 'json' : 'text' };
}

function hintOf(known: KnownProperty | undefined): string | undefined {
  if (known === undefined) return undefined;
  return known.description === undefined ? known.type : `${known.type}: ${known.description}`;
}
