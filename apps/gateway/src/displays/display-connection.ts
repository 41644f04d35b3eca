import type { Clock, Timer } from '@qmp-gateway/qmp';
import type { WebSocket } from 'ws';
import type { RequestMark } from '../http/request-context.js';
import type { AuditLog } from '../access/audit/audit-log.js';
import type { RequestCommands } from '../commands/request-commands.js';
import { Problem } from '../problems/problem.js';
import { closeClient, type CloseReason } from '../upgrades/close-codes.js';
import { Heartbeat, type HeartbeatOwner } from '../upgrades/heartbeat.js';
import type { Leaver, SocketConnection } from '../upgrades/socket-connection.js';
import type { StreamCounts } from '../upgrades/stream-counts.js';
import { onceSessionEnded } from '../vms/session-end.js';
import { awayText } from '../vms/unavailable.js';
import type { Vm } from '../vms/vm.js';
import { dialDisplay, type DisplayAddress } from '../vnc/display-address.js';
import type { DisplaySeats, NoSeat, SeatHolder } from './display-seats.js';
import type { VncDisplays } from '../vnc/vnc-displays.js';
import { ReadBuffers } from './read-buffers.js';
import { RfbBridge } from './rfb-bridge.js';

/** What all connections to displays share. */
export interface DisplayParts {
  readonly displays: VncDisplays;
  readonly seats: DisplaySeats;
  readonly leavers: Set<Leaver>;
  readonly audit: Pick<AuditLog, 'change' | 'requireWritable'>;
  readonly counts: StreamCounts;
  readonly limits: { readonly displayIdle: number };
  readonly clock: Clock;
}

/** Who wants to see which display, and how. */
export interface DisplayWish {
  readonly vm: Vm;
  readonly display: string;
  /** It may type, and wants to. */
  readonly types: boolean;
  readonly take: boolean;
}

/** An end of the connection that has a code of its own. */
class NotServed extends Error {
  constructor(
    readonly reason: CloseReason,
    text: string,
  ) {
    super(text);
  }
}

const checksPerIdle = 4;

/** One client of a display, from the upgrade until either end is gone. */
export class DisplayConnection implements Leaver, HeartbeatOwner, SeatHolder {
  readonly #clock: Clock;
  readonly #began: number;
  readonly #releases: (() => void)[] = [];
  #ended: string | undefined;
  #bridge: RfbBridge | undefined;

  constructor(
    private readonly client: WebSocket,
    private readonly connection: SocketConnection,
    private readonly wish: DisplayWish,
    private readonly parts: DisplayParts,
  ) {
    const { clock, leavers } = parts;
    const { socket, principal } = connection;
    this.#clock = clock;
    this.#began = clock.now();
    // Until the display is there, nobody takes what the client sends.
    client.pause();
    new Heartbeat({ client, socket, principal, clock, owner: this });
    client.once('close', (code: number) => this.#close(`the client left with code ${code}`));
    leavers.add(this);
    this.#releases.push(() => leavers.delete(this));
  }

  get principal(): string {
    return this.connection.principal.id;
  }

  get name(): string {
    return this.connection.principal.name;
  }

  get types(): boolean {
    return this.wish.types;
  }

  /** Finds the display, takes the seat, connects. Ends the client where there is nothing to connect. */
  async serve(commands: RequestCommands): Promise<void> {
    try {
      const address = await this.#find(commands);
      if (this.#ended !== undefined) return;
      this.#releases.push(
        onceSessionEnded(this.wish.vm, () => this.end('session-ended', 'the session with the VM ended')),
      );
      this.#sit();
      await this.#connect(address);
    } catch (error) {
      const { reason, message } = error instanceof NotServed ? error : notServed(error, this.wish.vm);
      this.end(reason, message);
      if (!(error instanceof NotServed || error instanceof Problem)) throw error;
    }
  }

  async #find(commands: RequestCommands): Promise<DisplayAddress> {
    const { displays, audit } = this.parts;
    const { vm, display } = this.wish;
    audit.requireWritable();
    const server = displays.require(vm, await displays.list(commands, vm), display);
    const reach = displays.reach(vm, server);
    if ('reason' in reach) throw new NotServed('absent', reach.reason);
    return reach.address;
  }

  #sit(): void {
    const { seats, counts, audit } = this.parts;
    const { vm, display, types, take } = this.wish;
    const { typist } = seats.at(vm.id, display);
    const none = seats.enter(vm.id, display, this, take);
    if (none !== undefined) throw noSeat(none);
    const mode = types ? 'typing' : 'looking';
    const count = counts.of('display');
    count[mode]++;
    this.#releases.push(() => {
      seats.leave(vm.id, display, this);
      count[mode]--;
    });
    const { principal } = this.connection;
    if (types && typist !== null)
      audit.change(principal, this.#mark, 'display-taken-over', { ...this.#what, from: typist });
    audit.change(principal, this.#mark, 'display-opened', { ...this.#what, mode });
    this.#releases.push(() =>
      audit.change(principal, this.#mark, 'display-closed', {
        ...{ ...this.#what, mode, reason: this.#ended, seconds: Math.round((this.#clock.now() - this.#began) / 1000) },
        ...{ received: this.#bridge?.received ?? 0, sent: this.#bridge?.sent ?? 0 },
      }),
    );
  }

  async #connect(address: DisplayAddress): Promise<void> {
    const { client } = this;
    const buffers = new ReadBuffers();
    const display = await dialDisplay(address, this.#clock, buffers.onread).catch((error: unknown) => {
      throw new NotServed('session-ended', `the display of the VM cannot be reached (${codeOf(error)})`);
    });
    if (this.#ended !== undefined) {
      display.destroy();
      return;
    }
    this.#bridge = new RfbBridge({
      ...{ client, display, buffers, looksOnly: !this.wish.types, clock: this.#clock },
      count: this.parts.counts.of('display'),
      ended: (reason, text) => this.end(reason, text),
    });
    if (this.wish.types) this.#watchIdle(0);
  }

  /** A typist who has left holds the keyboard from others. */
  #watchIdle(typed: number, still = 0): void {
    const { displayIdle } = this.parts.limits;
    if (displayIdle === 0) return;
    const timer: Timer = this.#clock.schedule(displayIdle / checksPerIdle, () => {
      const now = this.#bridge?.typed ?? 0;
      const quiet = now === typed ? still + 1 : 0;
      if (quiet > checksPerIdle) this.end('idle', 'nothing was typed for too long (limits.displayIdle)');
      else if (this.#ended === undefined) this.#watchIdle(now, quiet);
    });
    this.client.once('close', () => timer.cancel());
  }

  get #what(): { vm: string; display: string } {
    return { vm: this.wish.vm.id, display: this.wish.display };
  }

  get #mark(): RequestMark {
    const { requestId, traceparent, handed } = this.connection;
    return { requestId, traceparent, handed };
  }

  takenOver(by: string): void {
    this.end('taken-over', `taken over by ${by}`);
  }

  heartStopped(reason: CloseReason): void {
    this.end(reason, reason);
  }

  leave(): void {
    this.end('going-away', 'the gateway stops; come back');
  }

  /** Closes the connection; the first reason counts. */
  end(reason: CloseReason, text: string): void {
    if (this.#ended !== undefined) return;
    this.#close(text);
    // Paused, it would not hear the client's answer to the close.
    this.client.resume();
    closeClient(this.client, reason, text, this.#clock);
  }

  #close(text: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = text;
    this.#bridge?.close();
    for (const release of this.#releases.splice(0)) release();
  }
}

function noSeat(none: NoSeat): NotServed {
  return none.why === 'limit'
    ? new NotServed('try-again-later', `these credentials have ${none.most} displays open (limits.displays)`)
    : new NotServed('taken-over', `${none.typist} types: ?take=true takes over, ?view=true looks`);
}

/** What became of a command as the end of a connection. */
function notServed(error: unknown, vm: Vm): { reason: CloseReason; message: string } {
  if (!(error instanceof Problem)) return { reason: 'failed', message: 'the gateway failed; its log has the details' };
  const { code, detail } = error;
  if (code === 'no-display' || code === 'device-not-found') return { reason: 'absent', message: detail };
  if (code === 'forbidden') return { reason: 'policy', message: detail };
  if (code === 'vm-unavailable') return { reason: 'session-ended', message: awayText(vm) };
  return { reason: 'session-ended', message: detail };
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'no answer';
}
