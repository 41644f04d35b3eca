import { PartReceiver, PartSender, type PartHead, type Refusal, type RequestHead } from '@qmp-gateway/fleet-protocol';
import type { ExchangeBus, ExchangeParty, LossReason } from './exchange-bus.js';

/** Whoever asked another node. */
export interface Asker {
  /** A part of the answer, in order and whole so far. The asker calls `used` when it wants more. */
  bytes(bytes: Uint8Array, isLast: boolean): void;
  /** The owner did not take the request: nothing was sent to the VM. @param at its monotonic clock then, if it said that */
  refused(why: Refusal, at: number | undefined): void;
  /** There will be no more, and what came is not whole. */
  broken(reason: LossReason | 'owner' | 'damaged'): void;
  /** More of the request is taken again. */
  drained(): void;
}

/** One request to another node, from the side that asks. */
export class OutgoingExchange implements ExchangeParty {
  readonly #sender: PartSender;
  readonly #receiver: PartReceiver;
  #isOpen = true;

  constructor(
    private readonly bus: ExchangeBus,
    private readonly peer: string,
    private readonly head: RequestHead,
    private readonly asker: Asker,
  ) {
    const isHashed = head.upgrade !== true;
    this.#receiver = new PartReceiver(isHashed);
    this.#sender = new PartSender(
      (part, bytes) => this.#sendPart(part, bytes),
      isHashed,
      () => asker.drained(),
    );
    bus.open(peer, head.id, this);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The whole request, or its first part. */
  begin(bytes: Uint8Array): void {
    if (this.head.more === true || this.head.upgrade === true) this.#sender.write(bytes);
    else this.#sender.end(bytes);
  }

  /** @returns false when it has to wait: the asker hears `drained` */
  write(bytes: Uint8Array): boolean {
    return this.#isOpen ? this.#sender.write(bytes) : true;
  }

  end(bytes?: Uint8Array): void {
    if (this.#isOpen) this.#sender.end(bytes);
  }

  /** A part of the answer has been used. */
  used(): void {
    const count = this.#receiver.used();
    if (count !== undefined && this.#isOpen) this.bus.send(this.peer, this.head.id, { kind: 'taken', count });
  }

  /** Whoever asked is gone, or wants no more of it. */
  abandon(): void {
    if (!this.#isOpen) return;
    this.bus.send(this.peer, this.head.id, { kind: 'broken' });
    this.close();
  }

  /** The credentials of whoever asked are no longer good: the owner ends what it serves them. */
  revoke(): void {
    if (this.#isOpen) this.bus.send(this.peer, this.head.id, { kind: 'revoked' });
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.bus.close(this.peer, this.head.id);
  }

  part(head: PartHead, body: Uint8Array): void {
    switch (head.kind) {
      case 'bytes':
        this.#received(head, body);
        break;
      case 'taken':
        this.#sender.taken(head.count);
        break;
      case 'refused':
        this.close();
        this.asker.refused(head.why, head.at);
        break;
      default:
        this.close();
        this.asker.broken('owner');
    }
  }

  lost(reason: LossReason): void {
    this.#isOpen = false;
    this.asker.broken(reason);
  }

  #received(head: Extract<PartHead, { kind: 'bytes' }>, body: Uint8Array): void {
    const taken = this.#receiver.receive(head, body);
    if (taken === 'wrong') {
      this.abandon();
      this.asker.broken('damaged');
      return;
    }
    if (taken === 'last') this.close();
    this.asker.bytes(body, taken === 'last');
  }

  /** The first part goes with the request itself. */
  #sendPart(part: Extract<PartHead, { kind: 'bytes' }>, bytes: Uint8Array): void {
    if (part.index === 0) this.bus.request(this.peer, this.head, bytes);
    else this.bus.send(this.peer, this.head.id, part, bytes);
  }
}
