import { transformBigIntegers } from '@qmp-gateway/qapi';
import type { Audience } from './audience.js';
import { formatCursor } from './cursor.js';
import type { Encoding } from './encodings.js';
import { renderEvent, type EventRecord, type SourceSnapshot } from './event-record.js';

/**
 * What was published in one turn of the event loop, on its way to the subscribers. Each event is rendered and framed
 * at most once for each form that somebody gets, however many get it.
 */
export class EventBatch {
  readonly events: EventRecord[] = [];
  readonly #bySource = new Map<SourceSnapshot, number[]>();
  readonly #frames = new Map<Encoding, Map<string, Buffer[]>>();
  readonly #json = new Map<string, string[]>();

  constructor(private readonly run: string) {}

  add(event: EventRecord): void {
    const index = this.events.push(event) - 1;
    const indices = this.#bySource.get(event.source);
    if (indices === undefined) this.#bySource.set(event.source, [index]);
    else indices.push(index);
  }

  at(index: number): EventRecord {
    const event = this.events[index];
    if (event === undefined) throw new RangeError(`no event ${index} in this batch`);
    return event;
  }

  /** Indices of the events an audience wants, in order. */
  select(audience: Audience): number[] {
    const selected: number[] = [];
    let sources = 0;
    for (const [source, indices] of this.#bySource) {
      if (!audience.wantsSource(source)) continue;
      const before = selected.length;
      for (const index of indices) {
        const event = this.events[index];
        if (event !== undefined && audience.wants(event)) selected.push(index);
      }
      if (selected.length > before) sources++;
    }
    return sources > 1 ? selected.sort((a, b) => a - b) : selected;
  }

  frame(index: number, encoding: Encoding, audience: Audience): Buffer {
    const form = formOf(audience);
    let forms = this.#frames.get(encoding);
    if (forms === undefined) this.#frames.set(encoding, (forms = new Map<string, Buffer[]>()));
    let frames = forms.get(form);
    if (frames === undefined) forms.set(form, (frames = []));
    return (frames[index] ??= encoding.frame(this.#render(index, audience, form), this.#cursor(index)));
  }

  #render(index: number, audience: Audience, form: string): string {
    let rendered = this.#json.get(form);
    if (rendered === undefined) this.#json.set(form, (rendered = []));
    return (rendered[index] ??= renderFor(this.run, this.at(index), audience));
  }

  #cursor(index: number): string {
    return formatCursor(this.run, this.at(index).n);
  }
}

/** The JSON of an event as this audience gets it. */
export function renderFor(run: string, event: EventRecord, audience: Audience, coalesced?: number): string {
  const json = renderEvent(run, event, audience.reduced, coalesced);
  return audience.int64 === 'string' ? transformBigIntegers(json) : json;
}

function formOf({ reduced, int64 }: Audience): string {
  return reduced ? (int64 === 'string' ? 'rs' : 'rn') : int64 === 'string' ? 'fs' : 'fn';
}
