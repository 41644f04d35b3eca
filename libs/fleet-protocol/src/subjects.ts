/** The release of the protocol in every subject; another one is another fleet. */
const protocol = 1;

/** What a fleet may be called: it stands in subjects, streams and buckets. */
export const fleetNamePattern = /^[a-z0-9-]{1,32}$/;
/** What a node may be called: as VMs. */
export const nodeNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/**
 * The name of a node as one token of a subject, and as a key of a bucket: dots part tokens, and no name holds `=`. Two
 * names never make one token.
 */
export function tokenOf(node: string): string {
  return node.includes('.') ? node.replaceAll('.', '=') : node;
}

/** The name that made a token. */
export function nodeOfToken(token: string): string {
  return token.includes('=') ? token.replaceAll('=', '.') : token;
}

/**
 * Every subject, stream and bucket of a fleet. The sender stands in each subject that a node publishes to, so that
 * permissions of the NATS server can hold every node to its own name.
 */
export class FleetSubjects {
  readonly prefix: string;
  readonly eventStream: string;
  readonly nodeBucket: string;
  readonly tokenBucket: string;
  readonly leaseBucket: string;
  readonly #commands: string;
  readonly #exchanges: string;

  constructor(readonly fleet: string) {
    this.prefix = `qgw.${fleet}.${protocol}`;
    this.#commands = `${this.prefix}.cmd.`;
    this.#exchanges = `${this.prefix}.ex.`;
    this.eventStream = `QGW_${fleet}_EV`;
    this.nodeBucket = `qgw_${fleet}_nodes`;
    this.tokenBucket = `qgw_${fleet}_tokens`;
    this.leaseBucket = `qgw_${fleet}_leases`;
  }

  /** A request for `to`. */
  command(to: string, from: string): string {
    return `${this.#commands}${tokenOf(to)}.${tokenOf(from)}`;
  }

  /** Every request for a node. */
  commandsFor(node: string): string {
    return `${this.#commands}${tokenOf(node)}.*`;
  }

  /** What follows a request, in both directions. @param exchange chosen by the side that asked */
  exchange(to: string, from: string, exchange: string): string {
    return `${this.#exchanges}${tokenOf(to)}.${tokenOf(from)}.${exchange}`;
  }

  /** Everything that follows requests and concerns a node. */
  exchangesOf(node: string): string {
    return `${this.#exchanges}${tokenOf(node)}.*.*`;
  }

  /** Batches of a node's events, which the stream captures. */
  events(node: string): string {
    return `${this.prefix}.ev.${tokenOf(node)}`;
  }

  /** What the stream captures. */
  get allEvents(): string {
    return `${this.prefix}.ev.*`;
  }

  /** What the stream has captured, as it tells it on. */
  get liveEvents(): string {
    return `${this.prefix}.live.*`;
  }

  /** The subject under which the stream tells a node's batches on; also the destination of its `republish`, with `{{wildcard(1)}}`. */
  live(token: string): string {
    return `${this.prefix}.live.${token}`;
  }

  /** Said once by a node that leaves, and by whoever removes the record of one. */
  goodbye(node: string): string {
    return `${this.prefix}.bye.${tokenOf(node)}`;
  }

  get allGoodbyes(): string {
    return `${this.prefix}.bye.*`;
  }

  /**
   * Who sent what came on a subject of requests or exchanges, and the exchange where there is one.
   * @returns undefined for a subject of another kind
   */
  readSender(subject: string): { readonly node: string; readonly exchange: string | undefined } | undefined {
    const isCommand = subject.startsWith(this.#commands);
    if (!isCommand && !subject.startsWith(this.#exchanges)) return undefined;
    const to = isCommand ? this.#commands.length : this.#exchanges.length;
    const from = subject.indexOf('.', to) + 1;
    if (from === 0) return undefined;
    const end = subject.indexOf('.', from);
    const node = nodeOfToken(end < 0 ? subject.slice(from) : subject.slice(from, end));
    if (isCommand) return { node, exchange: undefined };
    return end < 0 ? undefined : { node, exchange: subject.slice(end + 1) };
  }
}
