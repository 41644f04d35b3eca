import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { decodeFrame, encodeFrame, readPartHead, type PartHead, type RequestHead } from '@qmp-gateway/fleet-protocol';
import type { FleetLink } from '../fleet-link.js';

/** Why an exchange ends that nobody ended. */
export type LossReason =
  /** The connection with NATS is gone, and what was on its way with it. */
  | 'link'
  /** The other node is not heard any more, or is another run of itself. */
  | 'node'
  /** Nobody takes requests for that node. */
  | 'nobody'
  /** NATS does not permit it. */
  | 'forbidden';

/** One side of an open exchange. */
export interface ExchangeParty {
  part(head: PartHead, body: Uint8Array): void;
  lost(reason: LossReason): void;
}

/** Takes what other nodes ask of this one. */
export type RequestTaker = (from: string, head: Readonly<Record<string, unknown>>, body: Uint8Array) => void;

interface OpenExchange {
  readonly peer: string;
  readonly id: string;
  readonly party: ExchangeParty;
}

const noResponders = 503;

/**
 * Requests between nodes, and everything that follows them. A message goes out at once or not at all: what is sent while
 * the connection is away is for nobody.
 */
export class ExchangeBus {
  readonly #open = new Map<string, OpenExchange>();
  #take: RequestTaker = () => undefined;
  /** Of this turn, to go out together. */
  #outbox: { readonly subject: string; readonly frame: Uint8Array; readonly reply?: string }[] = [];

  constructor(private readonly link: FleetLink) {
    // A reconnect keeps the subscriptions of a connection; another connection has none.
    let subscribed: NatsConnection | undefined;
    link.observe({
      connected: () => {
        if (subscribed === link.connection) return;
        subscribed = link.connection;
        this.#subscribe(subscribed);
      },
      disconnected: () => this.#loseAll('link', () => true),
    });
    link.onRefusal((error) => {
      for (const { peer, id, party } of [...this.#open.values()])
        if (error.message.includes(`"${this.#requestSubject(peer)}"`)) this.#lose(peer, id, party, 'forbidden');
    });
  }

  /** How many exchanges are open. */
  get size(): number {
    return this.#open.size;
  }

  /** From now on requests are taken. */
  onRequest(take: RequestTaker): void {
    this.#take = take;
  }

  /** From now on what comes for this exchange goes to `party`. */
  open(peer: string, id: string, party: ExchangeParty): void {
    this.#open.set(keyOf(peer, id), { peer, id, party });
  }

  has(peer: string, id: string): boolean {
    return this.#open.has(keyOf(peer, id));
  }

  close(peer: string, id: string): void {
    this.#open.delete(keyOf(peer, id));
  }

  /** Asks another node. */
  request(peer: string, head: RequestHead, body: Uint8Array): void {
    const { subjects, node } = this.link;
    const reply = subjects.exchange(node, peer, head.id);
    this.#publish({ subject: this.#requestSubject(peer), frame: encodeFrame(head, body), reply });
  }

  /** What follows a request: at once, but never before it. Answers come many at a time as it is. */
  send(peer: string, id: string, head: PartHead, body?: Uint8Array): void {
    if (!this.link.connected) return;
    const { subjects, node, connection } = this.link;
    const message = { subject: subjects.exchange(peer, node, id), frame: encodeFrame(head, body) };
    if (this.#outbox.length > 0) this.#publish(message);
    else connection.publish(message.subject, message.frame);
  }

  /** At the end of the turn, as requests come one by one: the client writes once for all that it is given at a time, and a write costs most of all. */
  #publish(message: { readonly subject: string; readonly frame: Uint8Array; readonly reply?: string }): void {
    if (this.#outbox.length === 0) setImmediate(this.#empty);
    this.#outbox.push(message);
  }

  readonly #empty = (): void => {
    const messages = this.#outbox;
    this.#outbox = [];
    // What was lost with the connection was told as lost.
    if (!this.link.connected) return;
    const { connection } = this.link;
    for (const { subject, frame, reply } of messages)
      connection.publish(subject, frame, reply === undefined ? undefined : { reply });
  };

  /** Ends the exchanges with nodes that `isGone`. */
  sweep(isGone: (peer: string) => boolean): void {
    const gone = new Map<string, boolean>();
    this.#loseAll('node', (peer) => {
      let is = gone.get(peer);
      if (is === undefined) gone.set(peer, (is = isGone(peer)));
      return is;
    });
  }

  #requestSubject(peer: string): string {
    return this.link.subjects.command(peer, this.link.node);
  }

  #loseAll(reason: LossReason, concerns: (peer: string) => boolean): void {
    for (const { peer, id, party } of [...this.#open.values()]) if (concerns(peer)) this.#lose(peer, id, party, reason);
  }

  #lose(peer: string, id: string, party: ExchangeParty, reason: LossReason): void {
    this.close(peer, id);
    party.lost(reason);
  }

  #subscribe(connection: NatsConnection): void {
    const { subjects, node } = this.link;
    connection.subscribe(subjects.commandsFor(node), { callback: (error, message) => this.#asked(error, message) });
    connection.subscribe(subjects.exchangesOf(node), { callback: (error, message) => this.#followed(error, message) });
  }

  #asked(error: Error | null, { subject, data }: Msg): void {
    const from = error === null ? this.link.subjects.readSender(subject) : undefined;
    const frame = from === undefined ? undefined : decodeFrame(data);
    if (from !== undefined && frame !== undefined) this.#take(from.node, frame.head, frame.body);
  }

  #followed(error: Error | null, { subject, data, headers }: Msg): void {
    const from = error === null ? this.link.subjects.readSender(subject) : undefined;
    if (from?.exchange === undefined) return;
    const { node, exchange } = from;
    const found = this.#open.get(keyOf(node, exchange));
    if (found === undefined) return;
    if (data.length === 0 && headers?.code === noResponders) {
      this.#lose(node, exchange, found.party, 'nobody');
      return;
    }
    const frame = decodeFrame(data);
    const head = frame === undefined ? undefined : readPartHead(frame.head);
    // What cannot be read is missing: whoever waits for it finds that out.
    if (frame !== undefined && head !== undefined) found.party.part(head, frame.body);
  }
}

function keyOf(peer: string, id: string): string {
  return `${peer} ${id}`;
}
