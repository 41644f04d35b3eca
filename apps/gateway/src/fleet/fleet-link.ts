import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection, NodeConnectionOptions, TlsOptions, Status } from '@nats-io/transport-node';
import { FleetSubjects } from '@qmp-gateway/fleet-protocol';
import type { Logger } from 'pino';
import type { FleetSettings, FleetTls } from '../settings/fleet-settings.js';
import { SettingsError } from '../settings/load-settings.js';
import { systemFault } from '../settings/system-fault.js';

/** The client's own default is two minutes: for so long a dead server would go unnoticed. */
const pingMs = 2000;
const pingsUnanswered = 2;
/** Between attempts to connect, with as much again by chance. */
const reconnectMs = 500;
/** A connection that does not come about by then is tried anew. */
const dialMs = 5000;

/** Who hears that the connection came or went. */
export interface LinkObserver {
  connected?(): void;
  disconnected?(): void;
}

/** What NATS said of something that this node sent or asked for. */
export type ServerRefusal = (error: Error) => void;

/**
 * The one connection of this node with NATS. It is dialled for as long as it is wanted: no number of failures ends it.
 * Whatever is sent while it is away must have been kept by who sends it: nothing here is kept and sent late.
 */
export class FleetLink {
  readonly subjects: FleetSubjects;
  readonly node: string;
  readonly #observers: LinkObserver[] = [];
  readonly #refusals: ServerRefusal[] = [];
  #connection: NatsConnection | undefined;
  #connected = false;
  #reconnects = 0;
  #closing = false;
  #lastFault: string | undefined;

  constructor(
    readonly settings: FleetSettings,
    /** New for each start of the gateway. */
    readonly run: string,
    private readonly log: Pick<Logger, 'info' | 'warn'>,
  ) {
    this.subjects = new FleetSubjects(settings.name);
    this.node = settings.node ?? hostname();
  }

  /** Whether what is sent now goes out now, as far as is known. */
  get connected(): boolean {
    return this.#connected;
  }

  /** How often the connection came back. */
  get reconnects(): number {
    return this.#reconnects;
  }

  /** Why the last attempt to connect for the first time failed, in words; undefined while none did, and once one succeeded. */
  get lastFault(): string | undefined {
    return this.#lastFault;
  }

  /** @throws Error before the first connection */
  get connection(): NatsConnection {
    if (this.#connection === undefined) throw new Error('there has been no connection with NATS yet');
    return this.#connection;
  }

  /** Called at each change from now on, and at once when there is a connection. */
  observe(observer: LinkObserver): void {
    this.#observers.push(observer);
    if (this.#connected) observer.connected?.();
  }

  /** Called when the server refuses what this node publishes or subscribes to. */
  onRefusal(refusal: ServerRefusal): void {
    this.#refusals.push(refusal);
  }

  /**
   * Begins to dial; observers hear of the connection, which may be at once or never.
   * @throws SettingsError for credentials or certificates that cannot be read
   */
  async start(): Promise<void> {
    const options = await this.#options();
    void this.#dial(options);
  }

  /** Sends what was published, and ends the connection. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#connected = false;
    await this.#connection?.close();
  }

  /** A client of JetStream for this connection. */
  async jetStream(): Promise<{ client: JetStreamClient; manager: JetStreamManager }> {
    const { jetstream, jetstreamManager } = await import('@nats-io/jetstream');
    const manager = await jetstreamManager(this.connection, { checkAPI: false });
    return { client: jetstream(this.connection), manager };
  }

  async #dial(options: NodeConnectionOptions): Promise<void> {
    const { connect } = await import('@nats-io/transport-node');
    // Asked anew each time: it changes during the waits.
    const isClosing = (): boolean => this.#closing;
    while (!isClosing()) {
      try {
        const connection = await connect(options);
        this.#connection = connection;
        this.#lastFault = undefined;
        if (isClosing()) {
          await connection.close();
          return;
        }
        this.#watch(connection);
        this.#change(true);
        const ended = await connection.closed();
        this.#change(false);
        if (ended !== undefined) this.log.warn({ err: ended }, 'the connection with NATS ended, and is dialled anew');
      } catch (error) {
        this.#lastFault = (error as Error).message;
        this.log.warn({ err: error, servers: this.settings.servers }, 'NATS cannot be reached');
      }
      if (!isClosing()) await new Promise((resolve) => setTimeout(resolve, reconnectMs));
    }
  }

  #watch(connection: NatsConnection): void {
    void (async () => {
      for await (const status of connection.status()) this.#heard(status);
    })();
  }

  #heard(status: Status): void {
    switch (status.type) {
      case 'disconnect':
      case 'staleConnection':
        this.#change(false);
        break;
      case 'reconnect':
        this.#reconnects++;
        this.#change(true);
        break;
      case 'error':
        for (const refusal of this.#refusals) refusal(status.error);
        this.log.warn({ err: status.error }, 'NATS refused something');
        break;
      default:
    }
  }

  #change(connected: boolean): void {
    if (connected === this.#connected || (connected && this.#closing)) return;
    this.#connected = connected;
    this.log.info({ fleet: this.settings.name, node: this.node }, connected ? 'connected with NATS' : 'NATS is away');
    for (const observer of this.#observers) {
      if (connected) observer.connected?.();
      else observer.disconnected?.();
    }
  }

  async #options(): Promise<NodeConnectionOptions> {
    const { servers, tls, credentials = {} } = this.settings;
    const { credsAuthenticator, nkeyAuthenticator } = await import('@nats-io/transport-node');
    const { creds, nkey, user, passwordFile } = credentials;
    const text = (file: string): Buffer => readable(file);
    return {
      servers: [...servers],
      name: `qmp-gateway ${this.node}`,
      inboxPrefix: `_INBOX_${this.subjects.fleet}`,
      pingInterval: pingMs,
      maxPingOut: pingsUnanswered,
      reconnect: true,
      maxReconnectAttempts: -1,
      reconnectTimeWait: reconnectMs,
      reconnectJitter: reconnectMs,
      reconnectJitterTLS: reconnectMs,
      timeout: dialMs,
      // Else the client tries on by itself, and never says what is wrong.
      waitOnFirstConnect: false,
      ...(creds === undefined ? {} : { authenticator: credsAuthenticator(text(creds)) }),
      ...(nkey === undefined ? {} : { authenticator: nkeyAuthenticator(text(nkey)) }),
      ...(user === undefined ? {} : { user }),
      ...(passwordFile === undefined ? {} : { pass: text(passwordFile).toString().trimEnd() }),
      ...(tls === undefined ? {} : { tls: tlsFiles(tls) }),
    };
  }
}

function tlsFiles({ ca, cert, key }: FleetTls): TlsOptions {
  return {
    ...(ca === undefined ? {} : { caFile: ca }),
    ...(cert === undefined ? {} : { certFile: cert }),
    ...(key === undefined ? {} : { keyFile: key }),
  };
}

function readable(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new SettingsError([`fleet.credentials: cannot read ${file}: ${systemFault(error)}`]);
  }
}
