import {
  Alert,
  Button,
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
  Flex,
  Title,
} from '@patternfly/react-core';
import type { ListedOperation } from '@qmp-gateway/client';
import { useState, type ReactNode } from 'react';
import { Link } from 'react-router';
import { useVmClient } from '../api/use-gateway.js';
import { exactTime } from '../app/times.js';
import { Time } from '../app/time.js';
import { summaryOf } from '../events/event-summary.js';
import { ValueView } from '../events/value-view.js';
import { reasonOf, stateWords } from './operation-words.js';

/** All that is known of one operation. */
export function OperationDetails({ operation }: { readonly operation: ListedOperation }) {
  const { job, started, ended, epoch, id, state, deadline, descriptors } = operation;
  const reason = reasonOf(operation);
  return (
    <Flex direction={{ default: 'column' }} gap={{ default: 'gapMd' }}>
      {reason === undefined ? null : (
        <Alert component="p" isInline isPlain variant={state === 'failed' ? 'danger' : 'warning'} title={reason} />
      )}
      <DescriptionList isHorizontal isCompact columnModifier={{ lg: '2Col' }}>
        <Fact term="State">{stateWords(state).says}</Fact>
        {job === undefined ? null : (
          <Fact term="Job">{`${job.id} (${job.type ?? 'type not known'}, ${job.status ?? 'status not known'})`}</Fact>
        )}
        {descriptors === undefined ? null : (
          <Fact term="Descriptors">{descriptors.map((one) => `${one.use}: ${one.state}`).join(', ')}</Fact>
        )}
        <Fact term="Started">{exactTime(started)}</Fact>
        <Fact term="Ended">{ended === null ? 'not yet' : exactTime(ended)}</Fact>
        {deadline === undefined ? null : <Fact term="Counts as failed at">{exactTime(deadline)}</Fact>}
        <Fact term="Operation">
          <span className="qg-mono">{id}</span>
        </Fact>
        <Fact term="Session">
          <span className="qg-mono">{epoch ?? '–'}</span>
        </Fact>
      </DescriptionList>
      <OperationEvents operation={operation} />
      {state === 'done' ? <ReturnValue operation={operation} /> : null}
    </Flex>
  );
}

function OperationEvents({ operation: { events, vm } }: { readonly operation: ListedOperation }) {
  const [first] = events;
  if (first === undefined) return null;
  const from = `/vms/${encodeURIComponent(vm)}/events?range=${encodeURIComponent(`after:${first.cursor}`)}`;
  return (
    <section>
      <Title headingLevel="h2" size="md">
        Its events
      </Title>
      <ol className="qg-operation-events">
        {events.map(({ cursor, event, data, time }) => (
          <li key={cursor}>
            <Time at={time} /> <strong>{event}</strong> <span className="qg-mono">{summaryOf({ event, data })}</span>
          </li>
        ))}
      </ol>
      <Link to={from}>All events of the VM since then</Link>
    </section>
  );
}

/** What the command returned; a list leaves it out, because it may be long. */
function ReturnValue({ operation: { vm, id } }: { readonly operation: ListedOperation }) {
  const client = useVmClient(vm);
  const [answer, setAnswer] = useState<{ value: unknown } | { error: string }>();
  const ask = async (): Promise<void> => {
    try {
      setAnswer({ value: (await client.operation(id)).return });
    } catch (error) {
      setAnswer({ error: error instanceof Error ? error.message : String(error) });
    }
  };
  if (answer === undefined)
    return (
      <Button variant="link" isInline onClick={() => void ask()}>
        What it returned
      </Button>
    );
  if ('error' in answer) return <Alert component="p" isInline variant="warning" title={answer.error} />;
  return <ValueView value={answer.value} label="What it returned" />;
}

function Fact({ term, children }: { readonly term: string; readonly children: ReactNode }) {
  return (
    <DescriptionListGroup>
      <DescriptionListTerm>{term}</DescriptionListTerm>
      <DescriptionListDescription>{children}</DescriptionListDescription>
    </DescriptionListGroup>
  );
}
