/** Kinds of streams that resources offer, as metrics name them. */
export type StreamKind = 'display' | 'serial';

/** What the clients of one kind of stream come to. */
export interface StreamCount {
  looking: number;
  typing: number;
  /** Bytes from clients. */
  received: number;
  /** Bytes to clients. */
  sent: number;
}

const none = (): StreamCount => ({ looking: 0, typing: 0, received: 0, sent: 0 });

/** Clients of streams that resources offer, and their bytes, by kind: counted where they pass, for metrics. */
export class StreamCounts {
  readonly #counts: Readonly<Record<StreamKind, StreamCount>> = { display: none(), serial: none() };

  of(stream: StreamKind): StreamCount {
    return this.#counts[stream];
  }

  /** Of every kind, also where there was no client yet. */
  all(): Iterable<[string, StreamCount]> {
    return Object.entries(this.#counts);
  }
}
