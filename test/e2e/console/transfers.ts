import type { CDPSession } from 'playwright-core';
import { expect } from 'vitest';
import { patience } from './console-scene.js';

/** What a page fetches below an address, in the bytes that came over the connection: heads, and bodies as compressed. */
export class Transfers {
  readonly #urls = new Map<string, string>();
  readonly #ended = new Map<string, number>();

  /** Needs `Network.enable`, sent after this. */
  constructor(
    session: CDPSession,
    private readonly below: string,
  ) {
    session.on('Network.requestWillBeSent', ({ requestId, request }) => {
      if (request.url.startsWith(this.below)) this.#urls.set(requestId, request.url);
    });
    session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      this.#ended.set(requestId, encodedDataLength);
    });
  }

  /** Resolves when all that was asked for is there. */
  async settled(): Promise<{ readonly files: readonly string[]; readonly bytes: number }> {
    const requests = [...this.#urls.keys()];
    await expect.poll(() => requests.filter((id) => !this.#ended.has(id)), patience).toEqual([]);
    const files = [...this.#urls.values()].map((url) => new URL(url).pathname);
    return { files, bytes: requests.reduce((sum, id) => sum + (this.#ended.get(id) ?? 0), 0) };
  }
}
