import { asText, parsedJson, type Clock, type Timer } from '@qmp-gateway/qmp';
import type { Ask } from '../access/policy/own-monitor.js';
import type { SerialLink, SerialLinkOwner } from './serial-link.js';

const pollMs = 250;
/** Until the rest is asked for. */
const moreMs = 20;
/** Bytes of one answer, which has a third more. */
const readBytes = 48 * 1024;

/** A ring buffer inside QEMU, which nobody can connect to: the gateway takes out what is in it, again and again. */
export class RingBufferLink implements SerialLink {
  readonly canType = false;
  readonly waiting = 0;
  #timer: Timer | undefined;
  #closed = false;

  constructor(
    private readonly id: string,
    private readonly ask: Ask,
    private readonly owner: SerialLinkOwner,
    private readonly clock: Clock,
  ) {
    void this.#poll();
  }

  write(): boolean {
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #poll(): Promise<void> {
    const chunk = await takeFromRingBuffer(this.id, this.ask);
    if (this.#closed) return;
    if (chunk === undefined) {
      this.close();
      this.owner.ended('');
      return;
    }
    if (chunk.length > 0) this.owner.received(chunk);
    this.#timer = this.clock.schedule(chunk.length < readBytes ? pollMs : moreMs, () => void this.#poll());
  }
}

/** @returns undefined where the VM does not answer */
async function takeFromRingBuffer(id: string, ask: Ask): Promise<Buffer | undefined> {
  const answer = await ask('ringbuf-read', JSON.stringify({ device: id, size: readBytes, format: 'base64' }));
  const text = answer === undefined ? undefined : asText(parsedJson(answer));
  // A VM that says more than it was asked for is heard no further.
  return text === undefined ? undefined : Buffer.from(text, 'base64').subarray(0, readBytes);
}
