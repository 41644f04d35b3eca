import { Button } from '@patternfly/react-core';
import ExclamationTriangleIcon from '@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon.js';
import { memo } from 'react';
import type { FeedEvent } from './event-feed.js';
import { summaryOf } from './event-summary.js';
import { gapOf, gapWords } from './gap-words.js';
import { exactTimes, timeOfDay } from './local-time.js';

export interface EventRowProps {
  readonly item: FeedEvent;
  /** Of the row in the table, from 1 on. */
  readonly rowIndex: number;
  /** Pixels from the top of the list. */
  readonly top: number;
  readonly selected: boolean;
  readonly withVm: boolean;
  readonly onSelect: (item: FeedEvent) => void;
}

/** One event in one line. */
export const EventRow = memo(function EventRow(props: EventRowProps) {
  const { item, rowIndex, top, selected, withVm, onSelect } = props;
  const { event } = item;
  const style = { transform: `translateY(${top}px)` };
  if (event.event === 'gap') return <GapRow item={item} rowIndex={rowIndex} style={style} />;
  const kind = /ERROR|PANIC|CRASH|FAIL|WATCHDOG/.test(event.event) ? 'bad' : /^[a-z]/.test(event.event) ? 'own' : 'vm';
  return (
    <div
      role="row"
      aria-rowindex={rowIndex}
      className={`qg-event qg-event-${kind}${selected ? ' qg-event-selected' : ''}${withVm ? ' qg-event-with-vm' : ''}`}
      style={style}
      onClick={() => onSelect(item)}
    >
      <span role="cell" className="qg-event-time">
        <Button
          variant="link"
          isInline
          aria-pressed={selected}
          onClick={() => onSelect(item)}
          aria-label={`${event.event} at ${timeOfDay(item.atMs, Date.now())}: details`}
        >
          <time dateTime={event.time} title={exactTimes(event)}>
            {timeOfDay(item.atMs, Date.now())}
          </time>
        </Button>
      </span>
      {withVm ? (
        <span role="cell" className="qg-event-cut" title={event.vm ?? ''}>
          {event.vm ?? '–'}
        </span>
      ) : null}
      <span role="cell" className="qg-event-name qg-event-cut" title={event.event}>
        {event.event}
        {event.coalesced === undefined ? '' : ` ×${event.coalesced}`}
      </span>
      <span role="cell" className="qg-event-cut qg-event-data">
        {summaryOf(event)}
      </span>
    </div>
  );
});

function GapRow({ item, rowIndex, style }: Pick<EventRowProps, 'item' | 'rowIndex'> & { readonly style: object }) {
  const { title, reason } = gapWords(gapOf(item.event.data), (number) => number.toLocaleString());
  return (
    <div role="row" aria-rowindex={rowIndex} className="qg-event qg-event-gap" style={style} title={reason}>
      <span role="cell" className="qg-event-cut">
        <ExclamationTriangleIcon /> {title}. <span className="qg-event-reason">{reason}</span>
      </span>
    </div>
  );
}
