import { useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useRef, type RefObject } from 'react';
import type { EventFeed, FeedEvent } from './event-feed.js';
import type { EventFilter } from './event-filter.js';
import { EventRow } from './event-row.js';
import { useHeightBelow } from './use-height-below.js';

/** Pixels; the style sheet says the same. */
const rowHeight = 32;
const nearPixels = rowHeight;

export interface EventRowsProps {
  readonly feed: EventFeed;
  readonly order: EventFilter['order'];
  readonly withVm: boolean;
  readonly selected: FeedEvent | undefined;
  readonly onSelect: (item: FeedEvent) => void;
}

/** The list, of which only the rows in sight exist. To scroll away from the newest pauses it, so that rows stay in place. */
export function EventRows({ feed, order, withVm, selected, onSelect }: EventRowsProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const { length } = feed;
  const rows = useVirtualizer({
    count: length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  });
  const newestFirst = order === 'newest-first';
  useNewestInSight(feed, scroller, newestFirst);
  const indexOf = (row: number): number => (newestFirst ? length - 1 - row : row);
  return (
    <div role="table" aria-label="Events" aria-rowcount={length + 1} className="qg-events">
      <Head withVm={withVm} />
      {/* Scrolled with the keys, so it takes the focus. */}
      <div
        ref={scroller}
        role="rowgroup"
        tabIndex={0}
        aria-label="Events"
        className="qg-events-rows"
        style={{ blockSize: useHeightBelow(scroller) }}
      >
        <div role="presentation" className="qg-events-all" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map(({ index, start }) => {
            const item = feed.at(indexOf(index));
            return item === undefined ? null : (
              <EventRow
                key={item.number}
                item={item}
                rowIndex={index + 2}
                top={start}
                selected={item === selected}
                withVm={withVm}
                onSelect={onSelect}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

function Head({ withVm }: { readonly withVm: boolean }) {
  return (
    <div role="rowgroup">
      <div role="row" aria-rowindex={1} className={`qg-event qg-event-head${withVm ? ' qg-event-with-vm' : ''}`}>
        <span role="columnheader">Time</span>
        {withVm ? <span role="columnheader">VM</span> : null}
        <span role="columnheader">Event</span>
        <span role="columnheader">Data</span>
      </div>
    </div>
  );
}

/** Keeps the newest in sight while the list runs, and pauses it when the reader scrolls away from them. */
function useNewestInSight(feed: EventFeed, scroller: RefObject<HTMLDivElement | null>, newestFirst: boolean): void {
  const { paused, version } = feed;
  const distance = useCallback((): number => {
    const { scrollTop = 0, scrollHeight = 0, clientHeight = 0 } = scroller.current ?? {};
    return newestFirst ? scrollTop : scrollHeight - clientHeight - scrollTop;
  }, [scroller, newestFirst]);
  useEffect(() => {
    const element = scroller.current;
    if (element === null || paused) return;
    element.scrollTop = newestFirst ? 0 : element.scrollHeight;
  }, [scroller, newestFirst, paused, version]);
  useEffect(() => {
    const element = scroller.current;
    // Only what the reader does: the list itself scrolls as well.
    const looked = (): void => {
      requestAnimationFrame(() => {
        if (!feed.paused && distance() > nearPixels) feed.pause();
      });
    };
    for (const name of inputs) element?.addEventListener(name, looked, { passive: true });
    return () => {
      for (const name of inputs) element?.removeEventListener(name, looked);
    };
  }, [feed, scroller, distance]);
}

const inputs = ['wheel', 'touchmove', 'keydown', 'pointerup'] as const;
