import { EventsView } from '../../events/events-view.js';
import type { VmTabProps } from '../tabs.js';

/** Whoever looks wants to know what happened before. Every command has an operation, so those drown the rest. */
const defaults = { range: '1h', hide: ['operation'] } as const;

/** Events of one VM. */
export default function EventsTab({ vm }: VmTabProps) {
  return <EventsView vm={vm} defaults={defaults} />;
}
