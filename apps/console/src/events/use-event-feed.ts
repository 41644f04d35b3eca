import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { useGateway } from '../api/use-gateway.js';
import { EventFeed } from './event-feed.js';
import type { EventFilter } from './event-filter.js';
import { eventOrigin } from './event-origin.js';

/** A feed that is read while its view is looked at, and whether it has lost its connection. */
export interface LookedAtFeed {
  readonly feed: EventFeed;
  readonly lost: boolean;
}

/** The feed of a filter. Another filter for the gateway begins to read anew; what is left out here does not. */
export function useEventFeed(filter: EventFilter): LookedAtFeed {
  const { client } = useGateway();
  const [lost, setLost] = useState(false);
  const { vm, event, label, range, text } = filter;
  const asked = JSON.stringify({ vm, event, label, range });
  const hidden = filter.hide.join(',');
  // Made anew for what is asked of the gateway; the effect below keeps the rest of the filter current.
  const feed = useMemo(
    () =>
      new EventFeed(
        eventOrigin(client, (open) => setLost(!open)),
        { filter },
      ),
    [client, asked],
  );
  useEffect(() => {
    setLost(false);
    feed.open();
    return () => feed.close();
  }, [feed]);
  useEffect(() => {
    feed.filterHere({ hide: hidden === '' ? [] : hidden.split(','), text });
  }, [feed, hidden, text]);
  useSyncExternalStore(feed.subscribe, () => feed.version);
  return { feed, lost };
}
