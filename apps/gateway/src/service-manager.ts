import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SerialQueue } from './bounds/serial-queue.js';

/** Of systemd, in the package that has systemd itself. */
const program = 'systemd-notify';
const deadlineMs = 10_000;

/**
 * Tells systemd that the gateway is ready, reloads, stops and is alive; see `docs/decisions/service-readiness.md`. Does nothing
 * where no service manager listens.
 */
export class ServiceManager {
  readonly #messages = new SerialQueue();
  readonly #isListening: boolean;
  readonly #watchdogMs: number;
  #failed = false;
  #isBeating = false;

  /** @param onFailure gets the reason why systemd cannot be told, once */
  constructor(
    environment: NodeJS.ProcessEnv,
    private readonly onFailure: (reason: string) => void,
  ) {
    this.#isListening = (environment['NOTIFY_SOCKET'] ?? '') !== '';
    this.#watchdogMs = this.#isListening ? watchdogMs(environment) : 0;
  }

  /** Clients can connect. Starts the heartbeat of the watchdog, if systemd wants one. */
  ready(): void {
    void this.#tell('READY=1', 'STATUS=Serving');
    if (this.#watchdogMs === 0) return;
    // Three times in the time allowed: one lost beat ends nothing. A blocked event loop sends none.
    setInterval(() => void this.#beat(), this.#watchdogMs / 3).unref();
  }

  /** Skipped while the one before is on its way: a systemd that does not listen must not gather them. */
  async #beat(): Promise<void> {
    if (this.#isBeating) return;
    this.#isBeating = true;
    await this.#tell('WATCHDOG=1');
    this.#isBeating = false;
  }

  /** Runs a reload; systemd knows from when to when. */
  async reloading(reload: () => Promise<void>): Promise<void> {
    const now = process.hrtime.bigint() / 1000n;
    void this.#tell('RELOADING=1', `MONOTONIC_USEC=${String(now)}`, 'STATUS=Reloading');
    await reload();
    void this.#tell('READY=1', 'STATUS=Serving');
  }

  stopping(): void {
    void this.#tell('STOPPING=1', 'STATUS=Stopping');
  }

  /** One after the other, because their order is what they mean. */
  async #tell(...assignments: string[]): Promise<void> {
    if (!this.#isListening) return;
    await this.#messages.run(async () => {
      try {
        await promisify(execFile)(program, assignments, { timeout: deadlineMs });
      } catch (error) {
        if (this.#failed) return;
        this.#failed = true;
        this.onFailure((error as Error).message);
      }
    });
  }
}

/** How often systemd wants a sign of life; 0 when it wants none of this process. */
function watchdogMs({ WATCHDOG_USEC: period = '', WATCHDOG_PID: pid = '' }: NodeJS.ProcessEnv): number {
  if (!/^\d+$/.test(period) || (pid !== '' && pid !== String(process.pid))) return 0;
  return Number(period) / 1000;
}
