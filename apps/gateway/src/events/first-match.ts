import type { Encoding } from './encodings.js';
import type { Sink, Subscription } from './subscriber.js';

/** For who only wants to know that something came. */
export const signal: Encoding = { name: 'signal', frame: () => Buffer.of(0) };

/** Ends its stream at the first event, and calls back. */
export class FirstMatch implements Sink {
  subscription: Subscription | undefined;

  constructor(private readonly callback: () => void) {}

  write(): boolean {
    this.end();
    return true;
  }

  end(): void {
    this.subscription?.close();
    this.callback();
  }
}
