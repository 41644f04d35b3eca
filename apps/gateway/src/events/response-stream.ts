import type { ServerResponse } from 'node:http';
import type { EndReason, Sink, Subscription } from './subscriber.js';
import { sliceBytes } from './subscriber.js';

/** An HTTP response as the sink of a subscription; the response ends the subscription and the other way round. */
export class ResponseSink implements Sink {
  constructor(private readonly response: ServerResponse) {}

  /** Ties the subscription to the life of the response. */
  attach(subscription: Subscription): void {
    this.response.on('drain', () => subscription.drained());
    this.response.on('close', () => subscription.close());
    // A client that disconnects is not a fault of the gateway.
    this.response.on('error', () => subscription.close());
    if (this.response.destroyed) subscription.close();
  }

  write(bytes: Buffer): boolean {
    this.response.write(bytes);
    return this.response.writableLength < sliceBytes;
  }

  /** A client that reads ends up at a proper end and comes back; one that takes nothing has no use for that. */
  end(reason: EndReason): void {
    if (reason === 'too-slow') this.response.destroy();
    else this.response.end();
  }
}
