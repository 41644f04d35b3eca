import type { IncomingMessage, ServerResponse } from 'node:http';
import { onePartBytes } from '@qmp-gateway/fleet-protocol';
import type { AuthenticatedContext } from '../../access/authenticated-request.js';
import { writeProblem } from '../../http/answer.js';
import { headerLines, headerList } from '../../http/header-lines.js';
import { writeInOnePiece } from '../../http/one-piece-answer.js';
import { mayHaveBody } from '../../http/read-body.js';
import type { Problem } from '../../problems/problem.js';
import type { RemoteVm } from '../fleet-view.js';
import { AnswerHeadReader, type AnswerHead } from './answer-head.js';
import { ChunkedBody } from './chunked-body.js';
import { OwnerCall, type CallParts, type CallReceiver } from './owner-call.js';
import { chunkBytes, requestHeadBytes } from './request-bytes.js';

const nothing = Buffer.alloc(0);

/** A request for a VM of another node, as its client sent it. */
export interface ClientRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly context: AuthenticatedContext;
  readonly vm: RemoteVm;
  /** Without what was for this node. */
  readonly query: string;
  /** Milliseconds that the client gives it; undefined when it does not say. */
  readonly timeoutMs: number | undefined;
  /** It is one command. */
  readonly isCommand: boolean;
}

/** One request on its way to the owner of its VM, and the owner's answer on its way back, byte for byte. */
export class ForwardedRequest implements CallReceiver {
  readonly #head = new AnswerHeadReader();
  readonly #call: OwnerCall;
  #answer: AnswerHead | undefined;
  /** Of an answer that comes in chunks. */
  #chunks: ChunkedBody | undefined;
  #isDone = false;
  #bodyWaits = false;
  /** The body goes on in chunks after what was sent with the head. */
  #isChunked = false;

  constructor(
    parts: CallParts,
    private readonly client: ClientRequest,
    /** Told the status that the client got, 0 for one that left, and the id of the operation. */
    private readonly ended: (status: number, operation: string) => void,
  ) {
    const { vm, context, timeoutMs, isCommand, response } = client;
    const { principal, arrivedAt } = context;
    this.#call = new OwnerCall(parts, { vm, principal, arrivedAt, timeoutMs, isCommand }, this);
    response.on('close', () => this.#done(0));
  }

  /** Reads what there is of the body, and hands it over. */
  start(): void {
    const { request } = this.client;
    if (!mayHaveBody(request)) {
      request.resume();
      this.#begin(nothing, true);
      return;
    }
    const pieces: Buffer[] = [];
    let size = 0;
    const onData = (piece: Buffer): void => {
      pieces.push(piece);
      size += piece.length;
      if (size < onePartBytes / 2) return;
      request.pause();
      request.off('data', onData).off('end', onEnd);
      this.#begin(Buffer.concat(pieces), false);
      this.#pumpBody();
    };
    const onEnd = (): void => {
      request.off('data', onData);
      this.#begin(Buffer.concat(pieces), true);
    };
    request.on('data', onData).once('end', onEnd);
  }

  #begin(body: Buffer, isWhole: boolean): void {
    const { request, context, query } = this.client;
    if (this.#isDone) return;
    const declared = request.headers['content-length'];
    this.#isChunked = !isWhole && declared === undefined;
    const framed = isWhole ? body.length : declared === undefined ? 'chunked' : Number(declared);
    const head = requestHeadBytes(request, context, query, mayHaveBody(request) ? framed : undefined);
    this.#call.begin(Buffer.concat([head, this.#isChunked ? chunkBytes(body) : body]), isWhole);
  }

  /** The rest of a long body, as fast as the owner takes it. */
  #pumpBody(): void {
    const { request } = this.client;
    request.on('data', (piece: Buffer) => {
      if (this.#isDone || this.#call.write(this.#isChunked ? chunkBytes(piece) : piece)) return;
      this.#bodyWaits = true;
      request.pause();
    });
    request.once('end', () => this.#call.end(this.#isChunked ? chunkBytes(nothing) : undefined));
    request.resume();
  }

  drained(): void {
    if (!this.#bodyWaits) return;
    this.#bodyWaits = false;
    this.client.request.resume();
  }

  bytes(bytes: Uint8Array, isLast: boolean): void {
    let body: Uint8Array = bytes;
    if (this.#answer === undefined) {
      const found = this.#readHead(bytes);
      if (found === undefined) {
        if (isLast) this.#call.broken('damaged');
        else this.#call.used();
        return;
      }
      this.#answer = found.head;
      if (isLast && this.#writeWhole(found.head, found.rest)) return;
      this.#beginAnswer(found.head);
      body = found.rest;
    }
    this.#writeBody(body, isLast);
  }

  #readHead(bytes: Uint8Array): { readonly head: AnswerHead; readonly rest: Buffer } | undefined {
    try {
      return this.#head.read(bytes);
    } catch {
      this.#call.broken('damaged');
      return undefined;
    }
  }

  #writeWhole({ status, lines }: AnswerHead, body: Buffer): boolean {
    const { response } = this.client;
    if (response.getHeaderNames().length > 0 || !hasLength(lines)) return false;
    if (!writeInOnePiece(response, status, lines + this.#ownLines, body)) return false;
    this.#done(status);
    return true;
  }

  get #ownLines(): string {
    return `QMP-Node: ${this.#call.vm.node}\r\n${headerLines(this.client.context.answerHeaders)}`;
  }

  #beginAnswer({ status, lines: sent, isChunked }: AnswerHead): void {
    const { request, response } = this.client;
    this.#call.answered();
    if (isChunked) this.#chunks = new ChunkedBody();
    // A client of HTTP/1.0 is sent no chunks, and no trailers.
    const lines = request.httpVersion === '1.0' ? sent.replace(/^trailer:.*\r\n/im, '') : sent;
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    response.writeHead(status, headerList(lines + this.#ownLines));
    response.flushHeaders();
  }

  #writeBody(sent: Uint8Array, isLast: boolean): void {
    const { response, context } = this.client;
    const bytes = this.#bodyIn(sent, isLast);
    if (bytes === undefined) {
      response.destroy();
      return;
    }
    if (bytes.length > 0) context.replies.count(response, bytes.length);
    const goesOn = bytes.length === 0 || response.write(bytes);
    if (isLast) {
      if (this.#chunks !== undefined && response.req.httpVersion !== '1.0') response.addTrailers(this.#chunks.trailers);
      response.end();
      this.#done(response.statusCode);
    } else if (goesOn) this.#call.used();
    else response.once('drain', () => this.#call.used());
  }

  /** What of this is the body's own; undefined where it is none. */
  #bodyIn(bytes: Uint8Array, isLast: boolean): Uint8Array | undefined {
    if (this.#chunks === undefined) return bytes;
    try {
      const body = this.#chunks.read(bytes);
      return isLast && !this.#chunks.isWhole ? undefined : body;
    } catch {
      return undefined;
    }
  }

  failed(problem: Problem): void {
    const { request, response, context } = this.client;
    if (this.#isDone) return;
    request.resume();
    writeProblem(response, problem, context);
    this.#done(problem.status);
  }

  #done(status: number): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#call.done();
    this.ended(status, this.#call.operation);
  }
}

/** As gateways write it; or in other letters. */
function hasLength(lines: string): boolean {
  return lines.includes('Content-Length: ') || /^content-length:/im.test(lines);
}
