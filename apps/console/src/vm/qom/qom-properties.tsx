import { Button, Title } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import type { QomTree } from '@qmp-gateway/client';
import { useState } from 'react';
import { ActionButton } from '../../access/action-button.js';
import { useMayRun } from '../../access/use-may-run.js';
import { usePropertyValues, type ReadValue } from './property-values.js';
import { SetProperty } from './set-property.js';

/** The properties of an object. A value is read when it is asked for: some getters are slow, and some have effects. */
export function QomProperties({
  vm,
  path,
  properties,
}: {
  readonly vm: string;
  readonly path: string;
  readonly properties: NonNullable<QomTree['properties']>;
}) {
  const { values, read } = usePropertyValues(vm, path);
  const [editing, setEditing] = useState<string>();
  const readable = Object.keys(properties).filter((name) => properties[name]?.withheld === undefined);
  if (Object.keys(properties).length === 0) return <p className="qg-subtle">It has no properties.</p>;
  return (
    <section aria-label="Properties">
      <Title headingLevel="h3">
        Properties{' '}
        <Button variant="link" isInline onClick={() => void read(...readable)}>
          Read all
        </Button>
      </Title>
      <Table variant="compact" aria-label="Properties">
        <Thead>
          <Tr>
            <Th>Name</Th>
            <Th>Type</Th>
            <Th>Value</Th>
            <Th screenReaderText="Actions" />
          </Tr>
        </Thead>
        <Tbody>
          {Object.entries(properties).map(([name, { type, withheld }]) => (
            <Tr key={name}>
              <Td dataLabel="Name" className="qg-mono" modifier="breakWord">
                {name}
              </Td>
              <Td dataLabel="Type" className="qg-subtle" modifier="nowrap">
                {type}
              </Td>
              <Td dataLabel="Value" className="qg-mono qg-qom-value" modifier="breakWord">
                {withheld ?? <ValueCell name={name} value={values.get(name)} onRead={() => void read(name)} />}
              </Td>
              <Td>
                <SetButton vm={vm} name={name} onClick={() => setEditing(name)} />
              </Td>
            </Tr>
          ))}
        </Tbody>
      </Table>
      {editing === undefined ? null : (
        <SetProperty
          {...{ vm, path, name: editing, value: values.get(editing) }}
          onClose={() => setEditing(undefined)}
          onSet={() => void read(editing)}
        />
      )}
    </section>
  );
}

function ValueCell({
  name,
  value,
  onRead,
}: {
  readonly name: string;
  readonly value: ReadValue | undefined;
  readonly onRead: () => void;
}) {
  const button = (
    <Button variant="link" isInline onClick={onRead}>
      {value === undefined ? 'Read' : 'Read again'}
      <span className="pf-v6-screen-reader"> {name}</span>
    </Button>
  );
  if (value === undefined) return button;
  return (
    <>
      {'text' in value ? value.text : <span className="qg-subtle">{value.why}</span>} {button}
    </>
  );
}

function SetButton({
  vm,
  name,
  onClick,
}: {
  readonly vm: string;
  readonly name: string;
  readonly onClick: () => void;
}) {
  const { allowed, reason } = useMayRun(vm, 'qom-set');
  return (
    <ActionButton variant="link" isInline onClick={onClick} whyNot={allowed === false ? reason : undefined}>
      Set<span className="pf-v6-screen-reader"> {name}</span>
    </ActionButton>
  );
}
