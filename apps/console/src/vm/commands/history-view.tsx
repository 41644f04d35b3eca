import { Button, EmptyState, EmptyStateBody, Flex, Label, Title } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { TerminalIcon } from '@patternfly/react-icons/dist/esm/icons/terminal-icon.js';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useGateway } from '../../api/use-gateway.js';
import { Time } from '../../app/time.js';
import { commandAddress } from './command-address.js';
import { CommandHistory, type PastCommand } from './command-history.js';

const outcomes = {
  done: { status: 'success', word: 'done' },
  refused: { status: 'danger', word: 'refused' },
  'not-sent': { status: 'warning', word: 'not sent' },
  unknown: { status: 'warning', word: 'unknown' },
} as const;

/** What was run from this browser, to be filled in again. */
export function HistoryView({ vm }: { readonly vm: string }) {
  const { memory } = useGateway();
  const history = new CommandHistory(memory);
  const [rows, setRows] = useState(() => history.all());
  if (rows.length === 0)
    return (
      <EmptyState titleText="Choose a command" headingLevel="h2" icon={TerminalIcon}>
        <EmptyStateBody>
          Each has a form that is made from what this VM says of it. What you run from this tab is kept here until you
          sign out.
        </EmptyStateBody>
      </EmptyState>
    );
  return (
    <>
      <Flex justifyContent={{ default: 'justifyContentSpaceBetween' }}>
        <Title headingLevel="h2">Run from this tab</Title>
        <Button
          variant="link"
          onClick={() => {
            history.clear();
            setRows([]);
          }}
        >
          Forget all
        </Button>
      </Flex>
      <Table variant="compact" aria-label="Commands run from this tab">
        <Thead>
          <Tr>
            <Th>When</Th>
            <Th>VM</Th>
            <Th>Command</Th>
            <Th width={40}>Arguments</Th>
            <Th>Outcome</Th>
          </Tr>
        </Thead>
        <Tbody>
          {rows.map((row, index) => (
            <HistoryRow key={`${row.at} ${index}`} vm={vm} row={row} />
          ))}
        </Tbody>
      </Table>
    </>
  );
}

/** @param vm on which it is filled in again */
function HistoryRow({ vm, row }: { readonly vm: string; readonly row: PastCommand }) {
  const navigate = useNavigate();
  const { status, word } = outcomes[row.outcome];
  const fillIn = (): void =>
    void navigate(commandAddress(vm, row.command), { state: { arguments: row.arguments ?? '{}' } });
  return (
    <Tr>
      <Td dataLabel="When">
        <Time at={row.at} />
      </Td>
      <Td dataLabel="VM" modifier="breakWord">
        {row.vm}
      </Td>
      <Td dataLabel="Command">
        <Button variant="link" isInline className="qg-mono" onClick={fillIn}>
          {row.command}
        </Button>
      </Td>
      <Td dataLabel="Arguments" modifier="truncate" className="qg-mono">
        {row.arguments ?? ''}
      </Td>
      <Td dataLabel="Outcome">
        <Label status={status} isCompact>
          {word}
        </Label>
      </Td>
    </Tr>
  );
}
