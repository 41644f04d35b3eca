import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { Backoff } from './backoff.js';
import { systemClock, type Clock, type Timer } from './clock.js';
import { CommandNumbers } from './command-numbers.js';
import { dialectNamed } from './dialects/dialects.js';
import { EndpointError, isExposed, type Endpoint } from './endpoint.js';
import type { Execution, Settlement } from './execution.js';
import type { LastError, LastErrorCode } from './last-error.js';
import { HealthWatch, type Health } from './health-watch.js';
import { PreparationError, type MonitorHost, type MonitorOptions, type RunOptions } from './monitor-host.js';
import { requireTransition, type MonitorState } from './monitor-state.js';
import { PeerListener } from './peer-listener.js';
import { Semaphore } from './semaphore.js';
import type { SessionInfo } from './session-info.js';
import { serverBounds, shownText } from './server-bounds.js';
import { Session } from './session.js';
import { watchSocketFile } from './socket-file-watch.js';
import { TokenBucket } from './token-bucket.js';
import { dial, leave, type DialledEndpoint } from './transport.js';

/** A session of at least this length counts as a success and resets the back-off. */
const stableMs = 1000;

/**
 * Limits dials without a wait because the socket file is new: a server that restarts repeatedly, or pretends to, then
 * gets the usual back-off.
 */
const dialsAtOnce = { perSecond: 1, burst: 10 };

/** One monitor, dialled repeatedly until stopped. Nothing is ever sent twice. */
export class Monitor {
  readonly endpoint: Endpoint;
  readonly #host: MonitorHost;
  readonly #clock: Clock;
  readonly #gate: Semaphore;
  readonly #options: MonitorOptions;
  readonly #backoff: Backoff;
  readonly #atOnce: TokenBucket;
  readonly #numbers = new CommandNumbers();
  #state: MonitorState;
  #session: Session | null = null;
  /** Monotonic milliseconds; of the current or latest session. */
  #readyAt = 0;
  /** The latest session ended with the VM; true until the next one begins. */
  #shutDown = false;
  #health: HealthWatch | null = null;
  #lastError: LastError | null = null;
  /** Ends what the current state has begun: a wait, a dial, a deadline. */
  #abandon: () => void = () => undefined;
  #listener: PeerListener | null = null;

  /**
   * @throws {EndpointError} for plain tcp to an address other than loopback without `insecure`, and for `listen:tls`
   * without certificates.
   */
  constructor(endpoint: Endpoint, host: MonitorHost, options: MonitorOptions = {}) {
    if (isExposed(endpoint) && options.insecure !== true) {
      throw new EndpointError(
        'plain tcp to other than loopback: anyone on the way has the VM; use tls, or insecure: true',
      );
    }
    const { ca, cert, key } = options.tls ?? {};
    if (endpoint.kind === 'listen-tls' && (ca === undefined || cert === undefined || key === undefined)) {
      throw new EndpointError('listen:tls needs ca, cert and key: peers must show a client certificate');
    }
    this.endpoint = endpoint;
    this.#host = host;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#gate = options.dialGate ?? new Semaphore(64);
    this.#backoff = new Backoff(options.random ?? Math.random);
    this.#atOnce = new TokenBucket(dialsAtOnce, this.#clock.now());
    this.#state = { name: 'idle', since: this.#clock.wall() };
  }

  /** `stateChanged` reports every change except that of `retryAt` while a socket file stays missing. */
  get state(): MonitorState {
    return this.#state;
  }

  /** Null unless `ready`. */
  get health(): Health | null {
    return this.#health?.health ?? null;
  }

  /** The latest reason for which there was no session; kept while ready. */
  get lastError(): LastError | null {
    return this.#lastError;
  }

  /** Unanswered in-band commands. */
  get inFlight(): number {
    return this.#session?.inFlight ?? 0;
  }

  /** Free in-band places; 0 unless ready. */
  get places(): number {
    return this.#state.name === 'ready' ? (this.#session?.places ?? 0) : 0;
  }

  start(): void {
    this.#connect();
  }

  /**
   * Ends the session and the dialling, from any state. Commands handed over become `unknown`, others `not-sent`.
   * Resolves when the connection is closed; a dialect may need a quiet moment before that.
   */
  async stop(): Promise<void> {
    if (this.#state.name === 'stopped') return;
    const session = this.#session;
    this.#abandon();
    this.#listener?.close();
    this.#listener = null;
    this.#enter({ name: 'stopped', since: this.#clock.wall() });
    if (session === null) return;
    if (session.quietBeforeCloseMs > 0) {
      await new Promise<void>((resolve) => void this.#clock.schedule(session.quietBeforeCloseMs, resolve));
    }
    session.end('connection-lost', 'the monitor was stopped');
    this.#session = null;
  }

  /**
   * Sends a command. Settles it at once as `not-sent` if the monitor is not ready, if no place is free for an in-band
   * command, or if oob was not negotiated for an out-of-band one.
   */
  execute(execution: Execution): void {
    if (this.#state.name !== 'ready' || this.#session === null) {
      execution.settle({ kind: 'not-sent', cause: `the monitor is ${this.#state.name}` });
      return;
    }
    this.#session.execute(execution);
    this.#health?.sent();
  }

  /**
   * The caller of a command has given it up. Replies of a guest agent may carry no id, so the agent gets no further
   * command until it has finished this one: its late reply arrives, or it is settled as `unknown`.
   */
  resynchronize(): void {
    this.#session?.resynchronize();
  }

  /**
   * The owner's own queries, also inside `prepare`.
   * @returns the outcome; `unknown` at the deadline, while the command keeps its place until the reply.
   */
  run(command: string, argumentsJson: string | undefined, options: RunOptions): Promise<Settlement> {
    const { deadlineMs, answerBytes = serverBounds.ownAnswer.most, arrived } = options;
    return new Promise((resolve) => {
      const session = this.#session;
      if (session === null || this.#state.name === 'stopped') {
        resolve({ kind: 'not-sent', cause: `the monitor is ${this.#state.name}` });
        return;
      }
      const deadline = this.#clock.schedule(deadlineMs, () => {
        resolve({ kind: 'unknown', cause: `no reply within ${deadlineMs} ms` });
      });
      const settle = (settlement: Settlement): void => {
        deadline.cancel();
        arrived?.(settlement);
        resolve(settlement);
      };
      session.execute({ command, answerBytes, ...(argumentsJson === undefined ? {} : { argumentsJson }), settle });
      this.#health?.sent();
    });
  }

  /** @returns whether the monitor is still in that state: its owner may stop it in the callback. */
  #enter(state: MonitorState): boolean {
    const previous = this.#state;
    requireTransition(previous.name, state.name);
    this.#state = state;
    this.#abandon = () => undefined;
    if (this.#health !== null && state.name !== 'ready') {
      this.#health.stop();
      this.#health = null;
      this.#host.healthChanged?.(null);
    }
    this.#host.stateChanged(state, previous);
    return this.#state === state;
  }

  #connect(): void {
    if (!this.#enter({ name: 'connecting', since: this.#clock.wall() })) return;
    const { endpoint } = this;
    if (endpoint.kind === 'listen-unix' || endpoint.kind === 'listen-tls') this.#listen(endpoint);
    else this.#dial(endpoint);
  }

  #dial(endpoint: DialledEndpoint): void {
    const begin = (): void => {
      const giveUp = dial(endpoint, {
        clock: this.#clock,
        timeoutMs: this.#options.handshakeTimeoutMs ?? 5000,
        tls: this.#options.tls,
        anchor: this.#options.anchor,
        connected: (socket) => {
          this.#gate.leave();
          this.#negotiate(socket);
        },
        failed: (code, detail) => {
          this.#gate.leave();
          this.#lose(code, detail);
        },
      });
      this.#abandon = () => {
        giveUp();
        this.#gate.leave();
      };
    };
    this.#abandon = () => void this.#gate.withdraw(begin);
    this.#gate.enter(begin);
  }

  #listen(endpoint: Extract<Endpoint, { kind: 'listen-unix' | 'listen-tls' }>): void {
    const listener = new PeerListener(endpoint, this.#options, {
      listening: () => {
        const lastError = this.#failed('listening', 'no VM has dialled in');
        this.#enter({ name: 'waiting', since: this.#clock.wall(), retryAt: null, lastError });
      },
      failed: (code, detail) => {
        this.#listener = null;
        this.#lose(code, detail);
      },
      connected: (socket) => {
        if (this.#session === null) this.#negotiate(socket);
        else {
          socket.destroy();
          this.#host.anomaly?.('peer-refused', 'a second peer dialled in');
        }
      },
      refused: (detail) => this.#host.anomaly?.('peer-refused', detail),
    });
    this.#listener = listener;
    listener.start();
  }

  #negotiate(socket: Socket): void {
    if (!this.#enter({ name: 'negotiating', since: this.#clock.wall() })) {
      leave(socket, this.endpoint);
      return;
    }
    const { dialect = 'auto', handshakeTimeoutMs = 5000, lineBytes = 64 * 1024 * 1024 } = this.#options;
    this.#session = new Session(
      socket,
      {
        opened: (info) => this.#prepare(info),
        event: (event, info) => this.#host.event(event, info),
        eventLeftOut: (name, info) => this.#host.eventLeftOut?.(name, info),
        answered: () => this.#answered(),
        silent: () => this.#host.silent?.(),
        anomaly: (kind, detail) => this.#host.anomaly?.(kind, detail),
        failed: (error) => {
          if (this.#host.failed === undefined) throw error;
          this.#host.failed(error);
        },
        ended: (code, detail) => this.#sessionEnded(code, detail),
      },
      {
        dialect: dialectNamed(dialect),
        detect: dialect === 'auto',
        transport: transportOf(this.endpoint),
        clock: this.#clock,
        handshakeTimeoutMs,
        lineBytes,
        numbers: this.#numbers,
        descriptorPassage: this.#options.descriptorPassage,
      },
    );
  }

  #prepare(info: SessionInfo): void {
    const session = this.#session;
    if (session === null) return;
    this.#shutDown = false;
    const timeoutMs = this.#options.prepareTimeoutMs ?? 30_000;
    const deadline: Timer = this.#clock.schedule(timeoutMs, () => {
      session.end('prepare-failed', `not prepared within ${timeoutMs} ms`);
    });
    this.#abandon = () => deadline.cancel();
    const isCurrent = (): boolean => this.#session === session && this.#state.name === 'negotiating';
    new Promise<void>((resolve) => resolve(this.#host.prepare?.(info))).then(
      () => {
        deadline.cancel();
        if (isCurrent()) this.#ready(session, info);
      },
      (error: unknown) => {
        deadline.cancel();
        const code = error instanceof PreparationError ? error.code : 'prepare-failed';
        if (isCurrent()) session.end(code, error instanceof Error ? error.message : String(error));
      },
    );
  }

  #ready(session: Session, info: SessionInfo): void {
    const health = new HealthWatch(this.#clock, {
      oldestAge: () => session.oldestAge,
      probe: info.oob ? (answered) => this.#probe(session, answered) : null,
      changed: (value) => this.#host.healthChanged?.(value),
    });
    this.#health = health;
    this.#readyAt = this.#clock.now();
    if (session.inFlight > 0) health.sent();
    if (!this.#enter({ name: 'ready', since: this.#clock.wall(), session: info })) return;
    this.#host.healthChanged?.('ok');
    this.#host.place?.();
  }

  /** Any reply counts: the monitor's own thread sends it, which works while the main loop is blocked. */
  #probe(session: Session, answered: () => void): void {
    session.execute({
      command: 'query-yank',
      outOfBand: true,
      answerBytes: serverBounds.ownAnswer.most,
      settle: (settlement) => {
        if (settlement.kind === 'return' || settlement.kind === 'error') answered();
      },
    });
  }

  #answered(): void {
    this.#health?.answered();
    if (this.#state.name === 'ready') this.#host.place?.();
  }

  #sessionEnded(code: LastErrorCode, detail: string): void {
    this.#session = null;
    if (this.#state.name === 'stopped') return;
    this.#abandon();
    if (this.#state.name === 'ready' && this.#clock.now() - this.#readyAt >= stableMs) this.#backoff.reset();
    if (code === 'shutdown') this.#shutDown = true;
    this.#lose(code, detail);
  }

  /** No session, for this reason: waits for its turn to dial again. */
  #lose(code: LastErrorCode, detail: string): void {
    const lastError = this.#failed(code, detail);
    const since = this.#clock.wall();
    if (this.#listener !== null) {
      this.#enter({ name: code === 'shutdown' ? 'closed' : 'waiting', since, retryAt: null, lastError });
      return;
    }
    const delay = this.#backoff.next();
    const retryAt = since + delay;
    const absent = code === 'no-such-file' || code === 'refused';
    const closed = code === 'shutdown' || (this.#shutDown && absent);
    const busy = code === 'no-greeting' || code === 'backlog-full';
    const name = closed ? 'closed' : busy ? 'busy' : 'waiting';
    if (this.#enter({ name, since, retryAt, lastError })) this.#waitFor(delay);
  }

  #waitFor(delay: number): void {
    const again = this.#clock.schedule(delay, () => this.#retry());
    let unwatch = (): void => undefined;
    this.#abandon = () => {
      again.cancel();
      unwatch();
    };
    // A new socket file means that a server has started. For a busy server, the file exists and its changes mean
    // nothing.
    if (this.endpoint.kind !== 'unix' || this.#state.name === 'busy') return;
    unwatch = watchSocketFile(this.endpoint.path, () => {
      if (!this.#atOnce.tryTake(this.#clock.now())) return;
      this.#backoff.reset();
      this.#reconnect();
    });
  }

  #retry(): void {
    const state = this.#state;
    const gone = state.name === 'closed' || (state.name === 'waiting' && state.lastError.code === 'no-such-file');
    if (!gone || this.endpoint.kind !== 'unix' || existsSync(this.endpoint.path)) {
      this.#reconnect();
      return;
    }
    // Still nothing to dial: not a change that the owner needs to know.
    this.#abandon();
    const delay = this.#backoff.next();
    this.#state = { ...state, retryAt: this.#clock.wall() + delay };
    this.#waitFor(delay);
  }

  #reconnect(): void {
    this.#abandon();
    this.#connect();
  }

  #failed(code: LastErrorCode, detail: string): LastError {
    this.#lastError = { code, detail: shownText(detail), time: this.#clock.wall() };
    return this.#lastError;
  }
}

function transportOf({ kind }: Endpoint): 'unix' | 'tcp' | 'tls' {
  if (kind === 'tcp') return 'tcp';
  return kind === 'tls' || kind === 'listen-tls' ? 'tls' : 'unix';
}
