import { Problem } from '../../problems/problem.js';
import { AnswerHeadReader, type AnswerHead } from './answer-head.js';
import { OwnerCall, type Call, type CallParts, type CallReceiver } from './owner-call.js';

/** Whoever waits for a whole answer: one of both is called, once. */
export interface AnswerTaker {
  /** Of an answer at most. */
  readonly mostBytes: number;
  answered(head: AnswerHead, body: Buffer): void;
  failed(problem: Problem): void;
}

/** A request of this node to the owner of a VM, whose answer is of use only when it is whole. */
export class GatheredCall implements CallReceiver {
  readonly #call: OwnerCall;
  readonly #pieces: Uint8Array[] = [];
  #size = 0;

  constructor(
    parts: CallParts,
    call: Call,
    private readonly taker: AnswerTaker,
  ) {
    this.#call = new OwnerCall(parts, call, this);
  }

  /** @param request a whole request of HTTP/1.1 */
  begin(request: Uint8Array): void {
    this.#call.begin(request, true);
  }

  bytes(bytes: Uint8Array, isLast: boolean): void {
    this.#pieces.push(bytes);
    this.#size += bytes.length;
    const { mostBytes } = this.taker;
    if (this.#size > mostBytes) {
      this.#call.done();
      this.#unknown(`The answer is over ${mostBytes} bytes (limits.replyBytes).`);
    } else if (isLast) this.#whole();
    else this.#call.used();
  }

  #whole(): void {
    this.#call.done();
    const found = this.#read();
    if (found === undefined) this.#unknown('The answer of the node cannot be read.');
    else this.taker.answered(found.head, found.rest);
  }

  #read(): ReturnType<AnswerHeadReader['read']> {
    try {
      return new AnswerHeadReader().read(Buffer.concat(this.#pieces));
    } catch {
      return undefined;
    }
  }

  #unknown(told: string): void {
    this.failed(new Problem('outcome-unknown', told, { vm: this.#call.vm.id }));
  }

  failed(problem: Problem): void {
    this.taker.failed(problem);
  }

  drained(): void {
    // It is sent whole.
  }
}
