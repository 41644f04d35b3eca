import type { Clock } from '@qmp-gateway/qmp';

/** Refused for so long it is told: the election of a leader takes less. */
const patienceMs = 15_000;

/**
 * Why the stream takes no events of this node, where JetStream itself says so: it is full, it has reached a limit, it is
 * off. Silence is none of it: that NATS is away is told elsewhere.
 */
export class PublishFaults {
  #since: number | undefined;
  #told: string | undefined;

  /** @param tell called at each change; undefined: events are taken again */
  constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private readonly tell: (fault: string | undefined) => void,
  ) {}

  succeeded(): void {
    this.#since = undefined;
    if (this.#told === undefined) return;
    this.#told = undefined;
    this.tell(undefined);
  }

  failed(error: unknown): void {
    const fault = refusalOf(error);
    if (fault === undefined) return;
    const now = this.clock.now();
    this.#since ??= now;
    if (now - this.#since < patienceMs || fault === this.#told) return;
    this.#told = fault;
    this.tell(fault);
  }
}

/** What JetStream says; undefined for what is no answer of it. */
function refusalOf(error: unknown): string | undefined {
  const { name, message, code } = error as { name?: unknown; message?: unknown; code?: unknown };
  if (name === 'JetStreamNotEnabled') return 'JetStream is not enabled';
  return typeof code === 'number' ? `JetStream takes no events: ${String(message)} (${code})` : undefined;
}
