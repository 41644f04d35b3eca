import { EmptyState, Label, SearchInput, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useCallback, useState } from 'react';
import { useAnswer } from '../../api/use-answer.js';
import { useGateway } from '../../api/use-gateway.js';
import { Asked } from '../../app/asked.js';
import { Time } from '../../app/time.js';
import { auditRow, hasWords, type AuditRow } from './audit-row.js';

const everyMs = 3_000;
const newest = 200;

/** Who did what: the end of the audit log, the newest first. */
export default function AuditView() {
  const { client } = useGateway();
  const [text, setText] = useState('');
  const answer = useAnswer(
    useCallback(
      async (signal) => (await client.auditTail({ limit: newest, signal })).map(auditRow).reverse(),
      [client],
    ),
    everyMs,
  );
  return (
    <Asked answer={answer} what="The audit log">
      {(rows) => (
        <>
          <Toolbar aria-label="Audit log">
            <ToolbarContent>
              <ToolbarItem>
                <SearchInput
                  className="qg-search"
                  aria-label="Search the audit log"
                  placeholder="Principal, VM, command"
                  value={text}
                  onChange={(_, value) => setText(value)}
                  onClear={() => setText('')}
                />
              </ToolbarItem>
              <ToolbarItem alignSelf="center">The newest {newest} records</ToolbarItem>
            </ToolbarContent>
          </Toolbar>
          <AuditTable rows={rows.filter((row) => hasWords(row, text))} />
        </>
      )}
    </Asked>
  );
}

function AuditTable({ rows }: { readonly rows: readonly AuditRow[] }) {
  if (rows.length === 0) return <EmptyState titleText="No record" headingLevel="h2" variant="sm" />;
  return (
    <Table aria-label="Audit log" variant="compact" className="qg-audit">
      <Thead>
        <Tr>
          <Th>Time</Th>
          <Th>Principal</Th>
          <Th>VM</Th>
          <Th>What</Th>
          <Th>Outcome</Th>
          <Th>Details</Th>
        </Tr>
      </Thead>
      <Tbody>
        {rows.map((row, at) => (
          <Tr key={`${row.time} ${at}`}>
            <Td dataLabel="Time" modifier="nowrap">
              <Time at={row.time} />
            </Td>
            <Td dataLabel="Principal" modifier="breakWord">
              {row.principal}
            </Td>
            <Td dataLabel="VM" modifier="breakWord">
              {row.vm}
            </Td>
            <Td dataLabel="What" modifier="breakWord">
              {row.what}
            </Td>
            <Td dataLabel="Outcome" modifier="nowrap">
              {row.outcome === '' ? null : (
                <Label isCompact variant="outline" status={row.isGood ? 'success' : 'warning'}>
                  {row.outcome}
                </Label>
              )}
            </Td>
            <Td dataLabel="Details" className="qg-details" modifier="breakWord">
              {row.details}
            </Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}
