import {
  Alert,
  AlertActionLink,
  Bullseye,
  Button,
  Drawer,
  DrawerContent,
  DrawerContentBody,
  EmptyState,
  EmptyStateActions,
  EmptyStateBody,
  EmptyStateFooter,
  Spinner,
} from '@patternfly/react-core';
import { useMemo, useState } from 'react';
import { useConnection } from '../api/use-gateway.js';
import { EventDetails } from './event-details.js';
import type { EventFeed, FeedEvent } from './event-feed.js';
import type { EventFilter, FilterDefaults } from './event-filter.js';
import { EventRows } from './event-rows.js';
import { EventToolbar } from './event-toolbar.js';
import './events.css';
import { useEventFeed } from './use-event-feed.js';
import { useEventFilter } from './use-event-filter.js';

export interface EventsViewProps {
  /** Id of the VM whose events these are; absent: of all. */
  readonly vm?: string;
  /** The same object at each render. */
  readonly defaults: FilterDefaults;
}

/** Events as they come and as they are kept, with filters that the address holds. */
export function EventsView({ vm, defaults }: EventsViewProps) {
  const [inAddress, change] = useEventFilter(defaults);
  const filter = useMemo(() => (vm === undefined ? inAddress : { ...inAddress, vm: [vm], label: [] }), [vm, inAddress]);
  const { feed, lost } = useEventFeed(filter);
  const [selected, setSelected] = useState<FeedEvent>();
  const ofOneVm = vm !== undefined;
  const details =
    selected === undefined ? null : (
      <EventDetails {...{ item: selected, filter, change, ofOneVm }} onClose={() => setSelected(undefined)} />
    );
  return (
    <>
      <EventToolbar
        {...{ feed, filter, change, ofOneVm }}
        eventNames={useEventNames(feed)}
        onPause={() => feed.pause()}
        onResume={() => feed.resume()}
      />
      <FeedState feed={feed} lost={lost} />
      <Drawer isExpanded={selected !== undefined} isInline>
        <DrawerContent panelContent={details}>
          <DrawerContentBody>
            {feed.length === 0 ? (
              <NoEvents feed={feed} filter={filter} change={change} />
            ) : (
              <EventRows
                {...{ feed, selected }}
                order={filter.order}
                withVm={!ofOneVm}
                onSelect={(item) => setSelected(item === selected ? undefined : item)}
              />
            )}
          </DrawerContentBody>
        </DrawerContent>
      </Drawer>
    </>
  );
}

/** What is wrong, if something is. */
function FeedState({ feed, lost }: { readonly feed: EventFeed; readonly lost: boolean }) {
  const { phase } = feed;
  const connection = useConnection();
  if (phase.name === 'failed')
    return (
      <Alert
        component="p"
        isInline
        variant="danger"
        title="The events cannot be read"
        actionLinks={<AlertActionLink onClick={() => feed.open()}>Try again</AlertActionLink>}
      >
        {phase.error instanceof Error ? phase.error.message : String(phase.error)}
      </Alert>
    );
  // The console as a whole says it already.
  if (!lost || connection.kind === 'lost') return null;
  return (
    <Alert component="p" isInline variant="warning" title="The connection was lost">
      The console connects again by itself and goes on where it was. If something is missing then, a line says so.
    </Alert>
  );
}

function NoEvents({
  feed,
  filter,
  change,
}: {
  readonly feed: EventFeed;
  readonly filter: EventFilter;
  readonly change: (part: Partial<EventFilter>) => void;
}) {
  if (feed.phase.name === 'reading')
    return (
      <Bullseye className="qg-events-none">
        <Spinner aria-label="Reading events" />
      </Bullseye>
    );
  if (feed.phase.name === 'failed') return null;
  const isFiltered = filter.text !== '' || filter.event.length > 0;
  return (
    <EmptyState titleText="No events" headingLevel="h2" className="qg-events-none">
      <EmptyStateBody>
        {isFiltered ? 'None that the filter shows. ' : ''}
        {filter.range === 'live' ? 'What comes from now on is shown here at once.' : 'New ones are shown at once.'}
      </EmptyStateBody>
      <EmptyStateFooter>
        <EmptyStateActions>
          {filter.range === 'live' ? <Button onClick={() => change({ range: '1h' })}>Read the last hour</Button> : null}
          {isFiltered ? (
            <Button variant="secondary" onClick={() => change({ text: '', event: [] })}>
              Show all
            </Button>
          ) : null}
        </EmptyStateActions>
      </EmptyStateFooter>
    </EmptyState>
  );
}

/** Names that were seen, for suggestions; looked at anew after every so many events. */
function useEventNames(feed: EventFeed): readonly string[] {
  const age = Math.floor(feed.arrived / 500) + (feed.phase.name === 'live' ? 1 : 0);
  return useMemo(() => {
    const names = new Set<string>();
    for (let index = 0; index < feed.length; index++) names.add(feed.at(index)?.event.event ?? '');
    return [...names].sort();
  }, [feed, age]);
}
