import { protocolVersion, type Refusal, type RequestHead } from '@qmp-gateway/fleet-protocol';
import type { Clock, Timer } from '@qmp-gateway/qmp';
import type { Principal } from '../../access/principal.js';
import { asProblem, Problem } from '../../problems/problem.js';
import type { RemoteVm } from '../fleet-view.js';
import type { ExchangeBus, LossReason } from './exchange-bus.js';
import { OutgoingExchange, type Asker } from './outgoing-exchange.js';
import { alreadyOver, unheard, type Owner, type RemotePlaces } from './remote-places.js';

/** A request without a deadline of its own is begun by its owner within this time, or not at all. */
const beginMs = 10_000;
/** So long after the deadline the owner's own word of it may come. */
const graceMs = 250;

/** What asking other nodes needs. */
export interface CallParts {
  readonly bus: ExchangeBus;
  readonly places: RemotePlaces;
  readonly clock: Clock;
  /** Names of exchanges and of operations, each new. */
  nextId(): { readonly exchange: string; readonly operation: string };
}

/** What is asked for, and by whom. */
export interface Call {
  readonly vm: RemoteVm;
  readonly principal: Principal;
  /** Monotonic milliseconds. */
  readonly arrivedAt: number;
  /** Milliseconds from then that the caller gives it; undefined when it does not say. */
  readonly timeoutMs: number | undefined;
  /** It is one command, whose operation will tell what became of it. */
  readonly isCommand: boolean;
}

/** Whoever gets the answer of an owner. */
export interface CallReceiver {
  /** A part of the answer, in order and whole so far. It calls `used` when it wants more. */
  bytes(bytes: Uint8Array, isLast: boolean): void;
  /** There is no answer, or no more of it. Called at most once, and last. */
  failed(problem: Problem): void;
  /** More of the request is taken again. */
  drained(): void;
}

/**
 * One request to the owner of a VM: what it may still do in time, once more where this node's knowledge of the owner was
 * old, and the truth about it where there is no answer.
 */
export class OwnerCall implements Asker {
  #exchange: OutgoingExchange | undefined;
  #sent: Uint8Array | undefined;
  #vm: RemoteVm;
  #operation = '';
  /** Of the owner that was asked last. */
  #run = '';
  #isAgain = false;
  #hasLearnt = false;
  #timer: Timer | undefined;
  #isDone = false;

  constructor(
    private readonly parts: CallParts,
    private readonly call: Call,
    private readonly receiver: CallReceiver,
  ) {
    this.#vm = call.vm;
  }

  /** Where it was asked last. */
  get vm(): RemoteVm {
    return this.#vm;
  }

  /** The id of its operation, where the owner took it; empty before, and for what is not one command. */
  get operation(): string {
    return this.call.isCommand ? this.#operation : '';
  }

  /** @param isWhole it may be asked once more: nothing follows */
  begin(bytes: Uint8Array, isWhole: boolean): void {
    if (isWhole) this.#sent = bytes;
    this.#ask(bytes, isWhole);
  }

  /** @returns false when it has to wait: the receiver hears `drained` */
  write(bytes: Uint8Array): boolean {
    return this.#exchange?.write(bytes) ?? true;
  }

  end(bytes?: Uint8Array): void {
    this.#exchange?.end(bytes);
  }

  used(): void {
    this.#exchange?.used();
  }

  /** The answer has begun: from here on its own end ends it. */
  answered(): void {
    this.#timer?.cancel();
  }

  /** Nobody waits for it any more. */
  done(): void {
    this.#isDone = true;
    this.#timer?.cancel();
    this.#exchange?.abandon();
  }

  bytes(bytes: Uint8Array, isLast: boolean): void {
    if (!this.#isDone) this.receiver.bytes(bytes, isLast);
  }

  drained(): void {
    this.receiver.drained();
  }

  refused(why: Refusal, at: number | undefined): void {
    if (this.#isDone) return;
    if (why === 'expired' && at !== undefined && this.#askInTime(at)) return;
    if (why === 'expired' && this.call.timeoutMs !== undefined) this.#fail(this.#lateProblem('not-sent'));
    else if (!this.#askAgain(why)) this.#fail(this.#refusal(why));
  }

  broken(reason: LossReason | 'owner' | 'damaged'): void {
    if (this.#isDone) return;
    if (reason === 'nobody') this.#fail(unheard(this.#vm, this.parts.places.sight(this.#vm)));
    else if (reason === 'forbidden') this.#fail(forbiddenBy(this.#vm));
    else this.#fail(this.#unknown(reason));
  }

  #ask(bytes: Uint8Array, isWhole: boolean): void {
    const { timeoutMs, arrivedAt } = this.call;
    const { clock, places, bus } = this.parts;
    try {
      const owner = places.require(this.#vm);
      const leftMs = (timeoutMs ?? beginMs) - (clock.now() - arrivedAt);
      if (leftMs <= 0) throw this.#lateProblem('not-sent');
      const head = this.#requestHead(owner, leftMs, isWhole);
      this.#operation = head.operation;
      this.#exchange = new OutgoingExchange(bus, this.#vm.node, head, this);
      if (timeoutMs !== undefined) this.#timer ??= clock.schedule(leftMs + graceMs, () => this.#late());
      this.#exchange.begin(bytes);
    } catch (error) {
      this.#fail(asProblem(error));
    }
  }

  #requestHead({ sight, clockMs }: Owner, leftMs: number, isWhole: boolean): RequestHead {
    const { exchange, operation } = this.parts.nextId();
    const until = clockMs === undefined ? alreadyOver : clockMs + leftMs;
    this.#run = sight.run;
    // Undefined members are not sent.
    return {
      v: protocolVersion,
      id: exchange,
      run: sight.run,
      until,
      notAfter: this.call.timeoutMs === undefined ? undefined : until,
      vm: this.#vm.id,
      operation,
      principal: sentPrincipal(this.call.principal),
      more: isWhole ? undefined : true,
    };
  }

  /** Once more by the owner's own clock, where this node did not know it or was too far behind it. */
  #askInTime(at: number): boolean {
    this.parts.places.learn(this.#vm, this.#run, at);
    if (this.#hasLearnt || this.#sent === undefined) return false;
    this.#hasLearnt = true;
    this.#ask(this.#sent, true);
    return true;
  }

  /** Another node may have the VM now, or another run of this one. */
  #askAgain(why: Refusal): boolean {
    if (this.#isAgain || this.#sent === undefined || !['expired', 'other-run', 'not-here'].includes(why)) return false;
    this.#isAgain = true;
    try {
      const found = this.parts.places.find(this.call.principal, this.#vm.id, undefined);
      if (found === undefined || (found.node === this.#vm.node && found.run === this.#vm.run)) return false;
      this.#vm = found;
    } catch {
      return false;
    }
    this.#ask(this.#sent, true);
    return true;
  }

  #refusal(why: Refusal): Problem {
    const { node, id } = this.#vm;
    return new Problem('vm-unavailable', `Node ${node} did not take the request: ${refusalTexts[why]}.`, { vm: id });
  }

  #unknown(reason: keyof typeof lossTexts): Problem {
    const { node, id } = this.#vm;
    const told = `Node ${node} had the request, and there is no answer: ${lossTexts[reason]}.`;
    return new Problem('outcome-unknown', told, { vm: id, ...this.#operationFields });
  }

  get #operationFields(): { readonly operation?: string } {
    return this.call.isCommand ? { operation: `/v1/vms/${this.#vm.id}/operations/${this.#operation}` } : {};
  }

  #late(): void {
    this.#exchange?.abandon();
    this.#fail(this.#lateProblem('unknown'));
  }

  #lateProblem(outcome: 'unknown' | 'not-sent'): Problem {
    const { timeoutMs = beginMs } = this.call;
    const { id, node } = this.#vm;
    return outcome === 'unknown'
      ? new Problem('deadline-exceeded', `No reply of node ${node} within ${timeoutMs} ms.`, {
          ...{ vm: id, ...this.#operationFields },
        })
      : new Problem('deadline-exceeded', `Node ${node} could not begin within ${timeoutMs} ms; nothing was sent.`, {
          ...{ vm: id, outcome, retryable: true },
        });
  }

  #fail(problem: Problem): void {
    if (this.#isDone) return;
    this.done();
    this.receiver.failed(problem);
  }
}

const refusalTexts: Readonly<Record<Refusal, string>> = {
  expired: 'it came too late',
  'other-run': 'the node was started anew, and has not told of its VMs yet',
  'not-here': 'it does not serve the VM any more',
  seen: 'it has had this request before',
  busy: 'too many requests of other nodes are open there',
  malformed: 'it cannot be read there',
  version: 'the node speaks another release of the protocol',
};

const lossTexts = {
  link: 'this node lost its connection with NATS',
  node: 'the node is not heard any more',
  owner: 'the node broke it off',
  damaged: 'a part of the answer is missing',
} as const;

/** NATS holds every node to its own name: this one's permissions are not what it needs. */
export function forbiddenBy({ id, node }: RemoteVm): Problem {
  return new Problem('fleet-misconfigured', `NATS does not permit this node to send requests to ${node}.`, { vm: id });
}

const sentPrincipals = new WeakMap<Principal, RequestHead['principal']>();

/** What the owner needs to know of whoever asks. */
export function sentPrincipal(principal: Principal): RequestHead['principal'] {
  let sent = sentPrincipals.get(principal);
  if (sent === undefined) {
    const { id, name, grant } = principal;
    const { level, vms, commands, endpoints, operatorEndpoints } = grant;
    sent = {
      ...{ id, name, level, vms },
      ...(commands === undefined ? {} : { commands }),
      ...(endpoints === undefined ? {} : { endpoints }),
      ...(operatorEndpoints === undefined ? {} : { operatorEndpoints }),
    };
    sentPrincipals.set(principal, sent);
  }
  return sent;
}
