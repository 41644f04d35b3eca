import type { ServerResponse } from 'node:http';
import { Controller, Get, Inject, Res } from '@nestjs/common';
import { apiHeaders } from '../http/answer.js';
import type { GatewayRequest } from '../access/authenticated-request.js';
import { Problem } from '../problems/problem.js';
import { Audience } from './audience.js';
import { ndjson, ndjsonWithBookmarks, sse, type Encoding } from './encodings.js';
import type { EventHub, HistoryPage } from './event-hub.js';
import { readEventQuery, type EventQuery, type SelectedEvents } from './event-query.js';
import { EventPageShape, EventSelection, LastEvent, StreamEventShape, VmEventSelection } from './event-shapes.js';
import { negotiate } from './media-type.js';
import { ResponseSink } from './response-stream.js';
import { ShownEvents } from './shown-events.js';
import type { VmIdentity } from '../access/principal.js';
import { HeadersOf, QueryOf, Resource, Tag, type ResourceDeclaration } from '../http/resource/resource.js';
import { shape } from '../http/resource/shape.js';
import { VmOfPath } from '../vms/vm-of-path.js';

/** How long an EventSource waits before it comes back, milliseconds. */
const retryMs = 2000;

const eventType = shape(() => StreamEventShape);
const declaration: Omit<ResourceDeclaration, 'id' | 'summary'> = {
  description: 'By `Accept`: SSE or NDJSON streams, or JSON of what is kept.',
  needs: 'level `read`',
  cookie: true,
  head: false,
  answers: {
    200: {
      what: 'Events in order; a gap is told as an event `gap`',
      content: {
        'application/json': shape(() => EventPageShape),
        'text/event-stream': eventType,
        'application/x-ndjson': eventType,
      },
    },
  },
  problems: ['cursor-expired'],
};

/** `GET /v1/events` and `GET /v1/vms/{vm}/events`: SSE, NDJSON or a page of history, by `Accept`. */
@Tag('events', 'Event streams and WebSockets')
@Controller()
export class EventsController {
  constructor(@Inject(ShownEvents) private readonly events: ShownEvents) {}

  @Get('v1/events')
  @Resource({ ...declaration, id: 'getEvents', summary: 'Events of the selected VMs' })
  async ofAll(
    @Res() response: ServerResponse,
    @QueryOf(EventSelection) selection: EventSelection,
    @HeadersOf(LastEvent) last: LastEvent,
  ): Promise<void> {
    await this.#answer(response, selection, { last });
  }

  @Get('v1/vms/:vm/events')
  @Resource({ ...declaration, id: 'getVmEvents', summary: 'Events of one VM' })
  async ofOne(
    @VmOfPath() vm: VmIdentity,
    @Res() response: ServerResponse,
    @QueryOf(VmEventSelection) selection: VmEventSelection,
    @HeadersOf(LastEvent) last: LastEvent,
  ): Promise<void> {
    await this.#answer(response, selection, { last, vm: vm.id });
  }

  async #answer(
    response: ServerResponse,
    selection: SelectedEvents,
    { last, ...ofVm }: { readonly last: LastEvent; readonly vm?: string },
  ): Promise<void> {
    const request = response.req as GatewayRequest;
    const { type, int64 } = negotiate(request.headers.accept);
    const hub = this.events.of(selection.scope);
    const from = last['Last-Event-ID'];
    await this.events.reached(hub, from === undefined || from === '' ? selection.after : from);
    if (response.destroyed) return;
    const asked = readEventQuery(selection, {
      type,
      ...ofVm,
      lastEventId: from,
      readCursor: (text) => hub.readCursor(text),
    });
    const audience = new Audience(request.gateway.principal, asked.filter, asked.int64 ?? int64);
    const { after, sinceMs } = asked;
    const begins = after === undefined && sinceMs !== undefined ? hub.positionOf(sinceMs, audience) : after;
    const query = { ...asked, after: begins };
    for (const [name, value] of Object.entries(apiHeaders)) response.setHeader(name, value);
    if (type === 'application/json') await this.#page(hub, audience, query, response);
    else this.#stream(hub, audience, { ...query, isSse: type === 'text/event-stream' }, response);
  }

  async #page(hub: EventHub, audience: Audience, query: EventQuery, response: ServerResponse): Promise<void> {
    let page = readHistory(hub, audience, query);
    if (page.events.length === 0 && query.waitMs > 0) {
      await firstMatch(hub, audience, query.waitMs, response);
      // From the position the first look reached: what came before did not match.
      if (!response.destroyed) page = readHistory(hub, audience, { ...query, after: hub.readCursor(page.cursor) });
    }
    const { events, cursor, oldest } = page;
    response.setHeader('Content-Type', 'application/json');
    response.end(`{"events":[${events.join(',')}],"cursor":"${cursor}","oldest":"${oldest}"}`);
  }

  #stream(
    hub: EventHub,
    audience: Audience,
    query: EventQuery & { readonly isSse: boolean },
    response: ServerResponse,
  ): void {
    const sink = new ResponseSink(response);
    const encoding: Encoding = query.isSse ? sse : query.bookmarks ? ndjsonWithBookmarks : ndjson;
    const { principal, filter, int64 } = audience;
    const { after, coalesceMs, isSse } = query;
    // Before the head is out: what refuses it is a problem still. The first event comes in a later turn.
    const subscription = hub.subscribe({ principal, filter, int64, after, coalesceMs, encoding, sink });
    // Asks nginx and its like not to gather.
    response.writeHead(200, {
      'Content-Type': isSse ? 'text/event-stream' : 'application/x-ndjson',
      'X-Accel-Buffering': 'no',
    });
    response.flushHeaders();
    if (isSse) response.write(`retry: ${retryMs}\n\n`);
    sink.attach(subscription);
  }
}

function readHistory(hub: EventHub, audience: Audience, { after, limit }: EventQuery): HistoryPage {
  const page = hub.history(audience, after, limit);
  if ('expired' in page)
    throw new Problem('cursor-expired', 'Events after this cursor are no longer kept; `oldest` is where they begin.', {
      oldest: page.oldest,
    });
  return page;
}

/** Until an event matches, the time is up, the client leaves or the gateway stops. */
function firstMatch(hub: EventHub, audience: Audience, waitMs: number, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    // First, because it may be refused; it never calls back at once.
    const cancel = hub.onceMatched(audience, () => done());
    const done = (): void => {
      clearTimeout(timeout);
      response.off('close', done);
      cancel();
      resolve();
    };
    const timeout = setTimeout(done, waitMs);
    response.on('close', done);
  });
}
