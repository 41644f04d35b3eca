import {
  Alert,
  Bullseye,
  Button,
  EmptyState,
  EmptyStateBody,
  Spinner,
  Switch,
  ToggleGroup,
  ToggleGroupItem,
  Toolbar,
  ToolbarContent,
  ToolbarItem,
} from '@patternfly/react-core';
import type { ListedOperation } from '@qmp-gateway/client';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { FilterField } from '../events/filter-field.js';
import { OperationRows } from './operation-rows.js';
import { isAnsweredQuestion } from './is-question.js';
import { isOpen, titleOf } from './operation-words.js';
import './operations.css';
import { useOperations } from './use-operations.js';

type Wanted = 'all' | 'open' | 'ended';

const choices: readonly { readonly id: Wanted; readonly text: string }[] = [
  { id: 'all', text: 'All' },
  { id: 'open', text: 'Running' },
  { id: 'ended', text: 'Ended' },
];
/** A table of more rows is slow; a button shows more. */
const rowsAtOnce = 100;

/** Operations of a VM or of all, as they go on. */
export function OperationsView({ vm }: { readonly vm?: string }) {
  const book = useOperations(vm);
  const [query, setQuery] = useSearchParams();
  const [most, setMost] = useState(rowsAtOnce);
  const wanted = choices.find(({ id }) => id === query.get('show'))?.id ?? 'all';
  const text = query.get('text') ?? '';
  const withQuestions = query.get('questions') === 'shown';
  const shown = book.rows.filter(
    (operation) => (withQuestions || !isAnsweredQuestion(operation)) && isWanted(operation, wanted, text),
  );
  const change = (name: string, value: string, absent: string): void =>
    setQuery((before) => {
      const next = new URLSearchParams(before);
      if (value === absent) next.delete(name);
      else next.set(name, value);
      return next;
    });
  return (
    <>
      <OperationsToolbar {...{ wanted, text, withQuestions, change }} ofOneVm={vm !== undefined} />
      <Failure failure={book.failure} />
      {shown.length === 0 ? (
        <NoOperations isRead={book.isRead} isFiltered={book.rows.length > 0} />
      ) : (
        <OperationRows operations={shown.slice(0, most)} withVm={vm === undefined} />
      )}
      {shown.length > most ? (
        <Button variant="link" onClick={() => setMost(most + rowsAtOnce)}>
          {shown.length - most} more
        </Button>
      ) : null}
    </>
  );
}

interface OperationsToolbarProps {
  readonly wanted: Wanted;
  readonly text: string;
  readonly withQuestions: boolean;
  readonly ofOneVm: boolean;
  /** Writes a choice into the address; the absent one leaves nothing there. */
  readonly change: (name: string, value: string, absent: string) => void;
}

function OperationsToolbar({ wanted, text, withQuestions, ofOneVm, change }: OperationsToolbarProps) {
  return (
    <Toolbar>
      <ToolbarContent>
        <ToolbarItem>
          <ToggleGroup aria-label="Which operations">
            {choices.map(({ id, text: title }) => (
              <ToggleGroupItem
                key={id}
                text={title}
                buttonId={`operations-${id}`}
                isSelected={id === wanted}
                onChange={() => change('show', id, 'all')}
              />
            ))}
          </ToggleGroup>
        </ToolbarItem>
        <ToolbarItem>
          <FilterField
            label="Search in operations"
            placeholder={ofOneVm ? 'Command or job' : 'Command, job or VM'}
            value={text}
            onValue={(value) => change('text', value, '')}
          />
        </ToolbarItem>
        <ToolbarItem alignSelf="center">
          <Switch
            id="operations-questions"
            label="Also questions"
            isChecked={withQuestions}
            onChange={(_, isOn) => change('questions', isOn ? 'shown' : '', '')}
          />
        </ToolbarItem>
      </ToolbarContent>
    </Toolbar>
  );
}

function isWanted(operation: ListedOperation, wanted: Wanted, text: string): boolean {
  if (wanted !== 'all' && isOpen(operation) !== (wanted === 'open')) return false;
  const { vm, job, id } = operation;
  const words = [titleOf(operation), vm, job?.id ?? '', id].join(' ').toLowerCase();
  return words.includes(text.toLowerCase());
}

function Failure({ failure }: { readonly failure: unknown }) {
  if (failure === undefined) return null;
  const why = failure instanceof Error ? failure.message : 'The gateway does not answer.';
  return (
    <Alert component="p" isInline variant="danger" title="The operations cannot be read">
      {why}
    </Alert>
  );
}

function NoOperations({ isRead, isFiltered }: { readonly isRead: boolean; readonly isFiltered: boolean }) {
  if (!isRead)
    return (
      <Bullseye>
        <Spinner aria-label="Reading operations" />
      </Bullseye>
    );
  return (
    <EmptyState titleText="No operations" headingLevel="h2">
      <EmptyStateBody>
        {isFiltered
          ? 'None that the filter shows.'
          : 'What you run on a VM is here for ten minutes, and for a day where it started work: a job, a migration, an unplug.'}
      </EmptyStateBody>
    </EmptyState>
  );
}
