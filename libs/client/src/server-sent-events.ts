import type { EventTransport } from './event-transport.js';
import { readJson } from './lossless-json.js';

/** The gateway sends a bookmark every 15 s: silence for three times as long means a lost connection. */
const silenceMs = 45_000;

/** Events through `fetch` as server-sent events (WHATWG HTML 9.2), because `EventSource` cannot send a token. */
export const serverSentEvents: EventTransport = async function* ({ http }, filter, after, signal) {
  const query = new URLSearchParams();
  for (const name of ['vm', 'event', 'label'] as const) for (const value of filter[name]) query.append(name, value);
  if (filter.coalesce !== undefined) query.append('coalesce', filter.coalesce);
  if (after !== undefined) query.append('after', after);
  const request = { method: 'GET', path: '/v1/events', query, deadlineMs: silenceMs, signal } as const;
  let id = '';
  let data = '';
  for await (const lines of http.lines(request, 'text/event-stream')) {
    for (const line of lines) {
      const field = line.replace(/\r$/, '');
      if (field.startsWith('id: ')) id = field.slice(4);
      else if (field.startsWith('data: ')) data += field.slice(6);
      else if (field === '' && id !== '') {
        yield data === '' ? { cursor: id } : { cursor: id, event: readJson(data) };
        data = '';
      }
    }
  }
};
