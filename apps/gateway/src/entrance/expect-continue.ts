import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Answers of a connection in their order. */
interface AnswerOrder {
  inTurn(socket: Socket, own: ServerResponse | undefined, step: () => void): void;
}

/**
 * Tells a client that waits with its body (`Expect: 100-continue`) to send it, once the answers before are out: Node would
 * write it into the head of the request's own answer. A client that did not wait is told nothing.
 */
export function askForBody(order: AnswerOrder, request: IncomingMessage, response: ServerResponse): void {
  if (request.complete) expectNothing(response);
  else request.once('end', () => expectNothing(response));
  order.inTurn(request.socket, undefined, () => {
    if (!request.complete && !response.headersSent) response.writeContinue();
  });
}

/**
 * Node ends the connection after an answer before which it did not say 100, as the body would come in place of the next
 * request; it does so for a body that is there as well, and requests behind it that were run would have no answer. This
 * is the inside of Node: there is no other way to say that a body came unasked.
 */
function expectNothing(response: ServerResponse): void {
  Reflect.set(response, '_expect_continue', false);
}
