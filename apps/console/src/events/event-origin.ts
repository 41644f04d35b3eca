import type { GatewayClient } from '@qmp-gateway/client';
import { labelsMeant, type AskedFilter } from './event-filter.js';
import type { EventOrigin } from './event-feed.js';

/** Events of one page of history: a page of so many takes no noticeable time to read. */
const pageSize = 2000;

/**
 * Events of the gateway, for a feed. Live ones come over a WebSocket: a browser has six connections for requests to one
 * origin, over all its tabs, and a stream would hold one of them for good.
 * @param onConnection hears of losses, after which the stream comes back by itself
 */
export function eventOrigin(
  client: Pick<GatewayClient, 'eventHistory' | 'events'>,
  onConnection: (open: boolean) => void,
): EventOrigin {
  return {
    page: (filter, from, signal) => {
      const begin = 'after' in from ? from : { since: `${from.sinceMs / 1000}s` };
      return client.eventHistory({ ...asked(filter), ...begin, limit: pageSize, signal });
    },
    oldestKept: async (filter, signal) => {
      const { events } = await client.eventHistory({ ...asked(filter), after: 'oldest', limit: 1, signal });
      return events[0]?.time;
    },
    live: (filter, after, signal) =>
      client.events({ ...asked(filter), after, transport: 'websocket', signal, onConnection }),
  };
}

function asked({ vm, event, label }: AskedFilter): {
  vm: readonly string[];
  event: readonly string[];
  label: Record<string, string>;
} {
  return { vm, event, label: labelsMeant(label) };
}
