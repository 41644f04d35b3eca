import {
  Bullseye,
  Button,
  Content,
  EmptyState,
  EmptyStateActions,
  EmptyStateBody,
  EmptyStateFooter,
  PageSection,
  Spinner,
  Title,
} from '@patternfly/react-core';
import { SearchIcon } from '@patternfly/react-icons/dist/esm/icons/search-icon.js';
import { useCallback, useDeferredValue, useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';
import { useConnection, useVms } from '../api/use-gateway.js';
import { VmTable } from './vm-table.js';
import { VmToolbar } from './vm-toolbar.js';
import { filterVms, readFilter, writeFilter, type VmFilter } from './vm-filter.js';

/** Pictures of so many screens are shown unasked. */
const screensUnasked = 12;

/** All VMs: find one, see how all are, do something with several. */
export default function VmsPage() {
  const vms = useVms();
  const connection = useConnection();
  const [query, setQuery] = useSearchParams();
  const filter = useMemo(() => readFilter(query), [query]);
  const wanted = useDeferredValue(filter);
  const shown = useMemo(() => filterVms(vms, wanted), [vms, wanted]);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const change = useCallback(
    (next: VmFilter) => setQuery((before) => writeFilter(next, before), { replace: true }),
    [setQuery],
  );
  const asked = query.get('screens');
  const hasScreens = asked === null ? vms.length <= screensUnasked : asked === 'yes';
  const showScreens = (show: boolean): void =>
    setQuery((before) => withParameter(before, 'screens', show ? 'yes' : 'no'), { replace: true });
  return (
    <>
      <PageSection>
        <Title headingLevel="h1">Virtual machines</Title>
        <Content component="small">{countWords(shown.length, vms.length)}</Content>
      </PageSection>
      <PageSection isFilled className="qg-fill" aria-label="List of VMs">
        <VmToolbar {...{ vms, filter, hasScreens, showScreens, selected }} onFilter={change} onSelect={setSelected} />
        {shown.length > 0 ? (
          <VmTable {...{ vms: shown, hasScreens, selected }} onSelect={setSelected} />
        ) : connection.kind === 'connecting' ? (
          <Bullseye>
            <Spinner aria-label="Loading the list" />
          </Bullseye>
        ) : (
          <NoVms hasAny={vms.length > 0} onClear={() => change({ text: '', states: [], labels: [] })} />
        )}
      </PageSection>
    </>
  );
}

function withParameter(before: URLSearchParams, name: string, value: string): URLSearchParams {
  const query = new URLSearchParams(before);
  query.set(name, value);
  return query;
}

function countWords(shown: number, all: number): string {
  const number = (count: number): string => count.toLocaleString();
  return shown === all ? `${number(all)} in all` : `${number(shown)} of ${number(all)}`;
}

function NoVms({ hasAny, onClear }: { readonly hasAny: boolean; readonly onClear: () => void }) {
  if (!hasAny)
    return (
      <EmptyState titleText="No VMs yet" headingLevel="h2">
        <EmptyStateBody>
          The gateway has none that you may see. Name one when the gateway starts (
          <code>--vm web-1=unix:/run/qemu/web-1.qmp</code>), in its settings, or by <code>PUT /v1/vms/web-1</code>. It
          appears here by itself.
        </EmptyStateBody>
      </EmptyState>
    );
  return (
    <EmptyState titleText="No VM matches" headingLevel="h2" icon={SearchIcon}>
      <EmptyStateBody>No VM has all of these words, states and labels.</EmptyStateBody>
      <EmptyStateFooter>
        <EmptyStateActions>
          <Button variant="link" onClick={onClear}>
            Clear all filters
          </Button>
        </EmptyStateActions>
      </EmptyStateFooter>
    </EmptyState>
  );
}
