import type { EventFeed } from './event-feed.js';
import { timeOfDay, zoneText } from './local-time.js';

/** How many events are shown, since when they are kept, and in which zone times are. */
export function EventCount({ feed }: { readonly feed: EventFeed }) {
  const { length, dropped, oldestKept, paused, phase } = feed;
  const parts = [
    `${length.toLocaleString()} ${length === 1 ? 'event' : 'events'}`,
    phase.name === 'reading' ? 'reading what is kept …' : '',
    paused ? 'paused' : '',
    dropped > 0 ? `${dropped.toLocaleString()} older ones no longer fit: narrow the filter` : '',
    oldestKept === undefined ? '' : `kept since ${timeOfDay(Date.parse(oldestKept), Date.now())}`,
    `times in ${zoneText(new Date())}`,
  ];
  return <span className="qg-second">{parts.filter((part) => part !== '').join(' · ')}</span>;
}
