import type { GatewayProcess } from './gateway-process.js';

export interface StreamedEvent {
  readonly cursor: string;
  readonly vm: string;
  readonly epoch: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** An event stream opened by fetch; its lines are read as they are asked for. */
export interface EventLines {
  /** The next line that is not empty; null at the end. */
  line(): Promise<string | null>;
  close(): void;
}

/** Opens an event stream, or any answer made of lines, and waits for its head. */
export async function openLines(
  gateway: GatewayProcess,
  path: string,
  accept: string,
  method = 'GET',
): Promise<EventLines> {
  const leaving = new AbortController();
  const answer = await gateway.fetch(path, { method, headers: { Accept: accept }, signal: leaving.signal });
  if (answer.status !== 200 || answer.body === null)
    throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  // At once: fetch ends the body of an answer that nobody holds any more and nobody reads yet.
  const lines = linesOf(answer.body.getReader());
  return {
    line: async () => {
      for (;;) {
        const { done, value } = await lines.next();
        if (done === true) return null;
        if (value !== '') return value;
      }
    },
    close: () => leaving.abort(),
  };
}

/** The next `count` events of an SSE stream; each must carry its cursor as `id`. */
export async function nextSseEvents(stream: EventLines, count: number): Promise<StreamedEvent[]> {
  const events: StreamedEvent[] = [];
  let id = '';
  while (events.length < count) {
    const line = await stream.line();
    if (line === null) throw new Error('the stream ended');
    if (line.startsWith('id: ')) id = line.slice('id: '.length);
    if (!line.startsWith('data: ')) continue;
    const event = JSON.parse(line.slice('data: '.length)) as StreamedEvent;
    if (event.cursor !== id) throw new Error(`cursor ${event.cursor} came with id ${id}`);
    events.push(event);
  }
  return events;
}

/** The next `count` events of an NDJSON stream. */
export async function nextNdjsonEvents(stream: EventLines, count: number): Promise<StreamedEvent[]> {
  const events: StreamedEvent[] = [];
  while (events.length < count) {
    const line = await stream.line();
    if (line === null) throw new Error('the stream ended');
    events.push(JSON.parse(line) as StreamedEvent);
  }
  return events;
}

async function* linesOf(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
  return undefined;
}
