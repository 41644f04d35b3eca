import { Label, Tooltip } from '@patternfly/react-core';
import { ExpandableRowContent, Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import type { ListedOperation } from '@qmp-gateway/client';
import { useState } from 'react';
import { Link } from 'react-router';
import { Time } from '../app/time.js';
import { keyOf } from './operation-book.js';
import { OperationButtons } from './operation-buttons.js';
import { OperationDetails } from './operation-details.js';
import { OperationProgress } from './operation-progress.js';
import { stateWords, titleOf } from './operation-words.js';

/** Operations in a table; each opens to all that is known of it. */
export function OperationRows({
  operations,
  withVm,
}: {
  readonly operations: readonly ListedOperation[];
  readonly withVm: boolean;
}) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (key: string): void => {
    const next = new Set(open);
    if (!next.delete(key)) next.add(key);
    setOpen(next);
  };
  return (
    <Table aria-label="Operations" variant="compact">
      <Thead>
        <Tr>
          <Th screenReaderText="Details" />
          <Th width={20}>Operation</Th>
          {withVm ? <Th>VM</Th> : null}
          <Th>State</Th>
          <Th width={35}>Progress</Th>
          <Th>Started</Th>
          <Th screenReaderText="Actions" />
        </Tr>
      </Thead>
      {operations.map((operation, rowIndex) => (
        <OperationRow
          key={keyOf(operation)}
          {...{ operation, rowIndex, withVm }}
          isOpen={open.has(keyOf(operation))}
          onToggle={() => toggle(keyOf(operation))}
        />
      ))}
    </Table>
  );
}

interface OperationRowProps {
  readonly operation: ListedOperation;
  readonly rowIndex: number;
  readonly withVm: boolean;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}

function OperationRow({ operation, rowIndex, withVm, isOpen, onToggle }: OperationRowProps) {
  const { vm, job, started } = operation;
  return (
    <Tbody isExpanded={isOpen}>
      <Tr isContentExpanded={isOpen}>
        <Td expand={{ rowIndex, isExpanded: isOpen, onToggle, expandId: 'operation' }} />
        <Td dataLabel="Operation" modifier="breakWord">
          <strong>{titleOf(operation)}</strong>
          {job === undefined ? null : <div className="qg-second">{job.id}</div>}
        </Td>
        {withVm ? (
          <Td dataLabel="VM" modifier="breakWord">
            <Link to={`/vms/${encodeURIComponent(vm)}/operations`}>{vm}</Link>
          </Td>
        ) : null}
        <Td dataLabel="State">
          <OperationState operation={operation} />
        </Td>
        <Td dataLabel="Progress">
          <OperationProgress operation={operation} />
        </Td>
        <Td dataLabel="Started" modifier="nowrap">
          <Time at={started} />
        </Td>
        <Td dataLabel="Actions" isActionCell>
          <OperationButtons operation={operation} />
        </Td>
      </Tr>
      {isOpen ? (
        <Tr isExpanded>
          <Td colSpan={withVm ? 7 : 6}>
            <ExpandableRowContent>
              <OperationDetails operation={operation} />
            </ExpandableRowContent>
          </Td>
        </Tr>
      ) : null}
    </Tbody>
  );
}

function OperationState({ operation: { state, job } }: { readonly operation: ListedOperation }) {
  const { label, status, says } = stateWords(state);
  const isPaused = state === 'running' && (job?.status === 'paused' || job?.status === 'standby');
  return (
    <Tooltip content={isPaused ? 'The job is paused.' : says}>
      <Label {...(status === 'neutral' ? { color: 'grey' } : { status })} variant="outline" tabIndex={0}>
        {isPaused ? 'Paused' : label}
      </Label>
    </Tooltip>
  );
}
