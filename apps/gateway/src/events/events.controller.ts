import type { ServerResponse } from 'node:http';
import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import { apiHeaders } from '../listeners/answer.js';
import type { GatewayRequest } from '../listeners/request-context.js';
import { Problem } from '../problems/problem.js';
import { Audience } from './audience.js';
import { ndjson, ndjsonWithBookmarks, sse, type Encoding } from './encodings.js';
import { EventHub, type HistoryPage } from './event-hub.js';
import { parseEventQuery, type EventQuery } from './event-query.js';
import { negotiate } from './media-type.js';
import { ResponseSink } from './response-stream.js';
import { VM_DIRECTORY, type VmDirectory } from './vm-directory.js';

/** How long an EventSource waits before it comes back, milliseconds. */
const retryMs = 2000;

/** `GET /v1/events` and `GET /v1/vms/{vm}/events`: SSE, NDJSON or a page of history, by `Accept`. */
@Controller()
export class EventsController {
  constructor(
    @Inject(EventHub) private readonly hub: EventHub,
    @Inject(VM_DIRECTORY) private readonly vms: VmDirectory,
  ) {}

  @Get('v1/events')
  async ofAll(@Req() request: GatewayRequest, @Res() response: ServerResponse): Promise<void> {
    await this.#answer(request, response);
  }

  @Get('v1/vms/:vm/events')
  async ofOne(@Param('vm') vm: string, @Req() request: GatewayRequest, @Res() response: ServerResponse): Promise<void> {
    const identity = this.vms.find(vm);
    if (identity === undefined || !request.gateway.principal.sees(identity))
      throw this.vms.notFound(request.gateway.principal, vm);
    await this.#answer(request, response, vm);
  }

  async #answer(request: GatewayRequest, response: ServerResponse, vm?: string): Promise<void> {
    // Express answers HEAD by the GET route, and a stream without a body would never end.
    if (request.method === 'HEAD')
      throw new Problem('method-not-allowed', 'Events are read with GET.', { headers: { Allow: 'GET' } });
    const { type, int64 } = negotiate(request.headers.accept);
    const lastEventId = request.headers['last-event-id'];
    const query = parseEventQuery(request.gateway.query, {
      type,
      ...(vm === undefined ? {} : { vm }),
      lastEventId: Array.isArray(lastEventId) ? lastEventId[0] : lastEventId,
      readCursor: (text) => this.hub.readCursor(text),
    });
    const audience = new Audience(request.gateway.principal, query.filter, query.int64 ?? int64);
    for (const [name, value] of Object.entries(apiHeaders)) response.setHeader(name, value);
    if (type === 'application/json') await this.#page(audience, query, response);
    else this.#stream(audience, query, type, response);
  }

  async #page(audience: Audience, query: EventQuery, response: ServerResponse): Promise<void> {
    let page = this.#history(audience, query);
    if (page.events.length === 0 && query.waitMs > 0) {
      await this.#match(audience, query.waitMs, response);
      // From the position the first look reached: what came before did not match.
      if (!response.destroyed) page = this.#history(audience, { ...query, after: this.hub.readCursor(page.cursor) });
    }
    const { events, cursor, oldest } = page;
    response.setHeader('Content-Type', 'application/json');
    response.end(`{"events":[${events.join(',')}],"cursor":"${cursor}","oldest":"${oldest}"}`);
  }

  #history(audience: Audience, { after, limit }: EventQuery): HistoryPage {
    const page = this.hub.history(audience, after, limit);
    if ('expired' in page)
      throw new Problem(
        'cursor-expired',
        'Events after this cursor are no longer kept; `oldest` is where they begin.',
        {
          oldest: page.oldest,
        },
      );
    return page;
  }

  /** Until an event matches, the time is up, the client leaves or the gateway stops. */
  #match(audience: Audience, waitMs: number, response: ServerResponse): Promise<void> {
    return new Promise((resolve) => {
      // First, because it may be refused; it never calls back at once.
      const cancel = this.hub.onceMatched(audience, () => done());
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

  #stream(audience: Audience, query: EventQuery, type: string, response: ServerResponse): void {
    const sink = new ResponseSink(response);
    const isSse = type === 'text/event-stream';
    const encoding: Encoding = isSse ? sse : query.bookmarks ? ndjsonWithBookmarks : ndjson;
    const { principal, filter, int64 } = audience;
    const { after, coalesceMs } = query;
    // Before the head is out: what refuses it is a problem still. The first event comes in a later turn.
    const subscription = this.hub.subscribe({ principal, filter, int64, after, coalesceMs, encoding, sink });
    // Asks nginx and its like not to gather.
    response.writeHead(200, { 'Content-Type': type, 'X-Accel-Buffering': 'no' });
    response.flushHeaders();
    if (isSse) response.write(`retry: ${retryMs}\n\n`);
    sink.attach(subscription);
  }
}
