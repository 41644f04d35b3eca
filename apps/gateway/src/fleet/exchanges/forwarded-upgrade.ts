import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { protocolVersion, type Refusal } from '@qmp-gateway/fleet-protocol';
import { asProblem, Problem } from '../../problems/problem.js';
import type { AuthenticatedContext } from '../../access/authenticated-request.js';
import type { RemoteVm } from '../fleet-view.js';
import { AnswerHeadReader } from './answer-head.js';
import type { LossReason } from './exchange-bus.js';
import { OutgoingExchange, type Asker } from './outgoing-exchange.js';
import { forbiddenBy, sentPrincipal, type CallParts } from './owner-call.js';
import { alreadyOver } from './remote-places.js';
import { requestHeadBytes } from './request-bytes.js';

/** An owner begins it within this time, or not at all. */
const beginMs = 10_000;
/** How often it is asked whether the credentials are still good. */
const lookMs = 5000;
const endOfLines = Buffer.from('\r\n', 'latin1');

/** A request to speak another protocol with a VM of another node. */
export interface ClientUpgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What came behind the request. */
  readonly head: Buffer;
  readonly context: AuthenticatedContext;
  readonly vm: RemoteVm;
  readonly query: string;
}

/** A WebSocket whose other end is at the owner of the VM: the bytes of both sides pass, as fast as each takes them. */
export class ForwardedUpgrade implements Asker {
  readonly #answer = new AnswerHeadReader();
  #exchange: OutgoingExchange;
  #hasLearnt = false;
  #hasAnswer = false;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param refuse answers with a problem where nothing was answered yet
   * @throws Problem when nothing can be handed over
   */
  constructor(
    private readonly parts: CallParts,
    private readonly client: ClientUpgrade,
    private readonly refuse: (problem: Problem) => void,
  ) {
    this.#exchange = this.#ask();
    client.socket.once('close', () => this.#left());
  }

  /** @throws Problem when nothing can be handed over */
  #ask(): OutgoingExchange {
    const { request, context, vm, query, head } = this.client;
    const { places, bus } = this.parts;
    const { sight, clockMs } = places.require(vm);
    const { exchange: id, operation } = this.parts.nextId();
    const until = clockMs === undefined ? alreadyOver : clockMs + beginMs;
    const principal = sentPrincipal(context.principal);
    const asked = { v: protocolVersion, id, run: sight.run, until, vm: vm.id, operation, principal, upgrade: true };
    const exchange = new OutgoingExchange(bus, vm.node, asked, this);
    exchange.begin(Buffer.concat([requestHeadBytes(request, context, query, undefined), head]));
    return exchange;
  }

  bytes(bytes: Uint8Array, isLast: boolean): void {
    const { socket } = this.client;
    let shown: Uint8Array = bytes;
    if (!this.#hasAnswer) {
      const found = this.#readHead(bytes);
      if (found === undefined) {
        if (isLast) this.broken('damaged');
        else this.#exchange.used();
        return;
      }
      this.#hasAnswer = true;
      shown = found.shown;
      if (found.status === 101) this.#join();
    }
    const goesOn = socket.destroyed || shown.length === 0 || socket.write(shown);
    if (isLast) socket.end();
    else if (goesOn) this.#exchange.used();
    else socket.once('drain', () => this.#exchange.used());
  }

  #readHead(bytes: Uint8Array): { readonly status: number; readonly shown: Buffer } | undefined {
    try {
      const found = this.#answer.read(bytes);
      if (found === undefined) return undefined;
      const { head, rest } = found;
      // Its own end of line stays behind it.
      const before = head.raw.subarray(0, -endOfLines.length);
      const node = Buffer.from(`QMP-Node: ${this.client.vm.node}\r\n\r\n`, 'latin1');
      return { status: head.status, shown: Buffer.concat([before, node, rest]) };
    } catch {
      this.#exchange.abandon();
      return undefined;
    }
  }

  /** From now on what the client says goes to the owner. */
  #join(): void {
    const { socket, context } = this.client;
    socket.on('data', (bytes: Buffer) => {
      if (!this.#exchange.write(bytes)) socket.pause();
    });
    socket.once('end', () => this.#exchange.end());
    socket.resume();
    this.#timer = setInterval(() => {
      if (!context.principal.stillValid()) this.#exchange.revoke();
    }, lookMs).unref();
  }

  drained(): void {
    this.client.socket.resume();
  }

  refused(why: Refusal, at: number | undefined): void {
    const { vm, socket } = this.client;
    const { id, node } = vm;
    if (why === 'expired' && at !== undefined && !this.#hasLearnt && !socket.destroyed) {
      this.#hasLearnt = true;
      this.#askInTime(at);
      return;
    }
    this.#fail(new Problem('vm-unavailable', `Node ${node} did not take the request (${why}).`, { vm: id }));
  }

  /** Once more, by the owner's own clock. */
  #askInTime(at: number): void {
    const { places } = this.parts;
    const { vm } = this.client;
    try {
      places.learn(vm, places.require(vm).sight.run, at);
      this.#exchange = this.#ask();
    } catch (error) {
      this.#fail(asProblem(error));
    }
  }

  broken(reason: LossReason | 'owner' | 'damaged'): void {
    const { id, node } = this.client.vm;
    const told =
      reason === 'forbidden'
        ? forbiddenBy(this.client.vm)
        : new Problem('vm-unavailable', `Node ${node}, which serves it, is gone (${reason}).`, { vm: id });
    this.#fail(told);
  }

  #fail(problem: Problem): void {
    clearInterval(this.#timer);
    if (this.#hasAnswer) this.client.socket.destroy();
    else {
      this.#hasAnswer = true;
      this.refuse(problem);
    }
  }

  #left(): void {
    clearInterval(this.#timer);
    this.#exchange.abandon();
  }
}
