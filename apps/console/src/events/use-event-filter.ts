import { useCallback, useMemo } from 'react';
import { useSearchParams } from 'react-router';
import { filterOf, withFilter, type EventFilter, type FilterDefaults } from './event-filter.js';

/** The filter in the address, and how to change it. Going back in the browser takes a change back. */
export function useEventFilter(
  defaults: FilterDefaults,
): readonly [filter: EventFilter, change: (part: Partial<EventFilter>) => void] {
  const [query, setQuery] = useSearchParams();
  const filter = useMemo(() => filterOf(query, defaults), [query, defaults]);
  const change = useCallback(
    (part: Partial<EventFilter>) =>
      setQuery((before) => withFilter(before, { ...filterOf(before, defaults), ...part }, defaults)),
    [setQuery, defaults],
  );
  return [filter, change];
}
