import { Backoff, type HeldFile, type Settlement, type Timer } from '@qmp-gateway/qmp';
import type { Ask } from '../access/policy/own-monitor.js';
import { answerThroughQueue } from '../vms/query-through-queue.js';
import type { Vm } from '../vms/vm.js';
import { SerialSearch, type FoundSerial } from './found-serials.js';
import { RingBufferLink } from './ring-buffer-link.js';
import { holdPty, holdSerialSocket, type HeldAddress } from './serial-address.js';
import { SerialLine, type SerialReader } from './serial-line.js';
import { openPtyLink, openSocketLink, type SerialLink, type SerialLinkOwner } from './serial-link.js';
import type { SerialSurroundings } from './serial-surroundings.js';

/** A socket that another client holds may become free at any time, and nothing tells. */
const heldAgainMs = 15_000;
/** A line that lasted as long is no line that fails again and again. */
const lastingMs = 10_000;
/** A list does not wait longer for its VM. */
const askMs = 2000;

const never = 'The setting serials.attach is never.';
const isHeld = 'Another client holds its socket, which takes one at a time.';

/** The part of a VM that its serial lines need. */
export type SerialVm = Pick<
  Vm,
  'id' | 'definition' | 'ready' | 'condition' | 'schema' | 'ownMonitor' | 'queue' | 'monitor'
>;

/** The serial lines of one VM: found by asking it, attached as the settings have it, kept while the VM is known. */
export class VmSerials {
  readonly #lines = new Map<string, SerialLine>();
  readonly #search = new SerialSearch();
  readonly #backoff = new Backoff(Math.random);
  readonly #attachedAt = new WeakMap<SerialLine, number>();
  readonly #claimOf = new WeakMap<SerialLine, string>();
  #reason: string | null = 'The VM has not been asked yet.';
  #isKnown = false;
  #asking: Promise<void> | undefined;
  #retry: Timer | undefined;
  #retryAt = Infinity;
  #ended = false;

  constructor(
    readonly vm: SerialVm,
    private readonly surroundings: SerialSurroundings,
  ) {
    if (surroundings.settings.attach !== 'never') return;
    this.#reason = never;
    this.#isKnown = true;
  }

  /** Why there is none. */
  get reason(): string | null {
    return this.#lines.size > 0 ? null : this.#reason;
  }

  /** Whether this session of the VM has told its lines. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  all(): Iterable<SerialLine> {
    return this.#lines.values();
  }

  /** One line; the VM is asked for one that is not known. */
  async find(id: string): Promise<SerialLine | undefined> {
    if (!this.#lines.has(id)) await this.look();
    return this.#lines.get(id);
  }

  /** A session with the VM began: it may have other lines than before. */
  async ready(): Promise<void> {
    this.#search.forget();
    this.#isKnown = this.#reason === never;
    this.#backoff.reset();
    await this.#ask();
  }

  /** What the VM has now, or after two seconds what is known. */
  async look(): Promise<void> {
    this.#search.forget();
    let late: Timer | undefined;
    await Promise.race([
      this.#ask(),
      new Promise<void>((resolve) => (late = this.surroundings.clock.schedule(askMs, resolve))),
    ]);
    late?.cancel();
  }

  /** @returns why the line cannot be looked at; undefined when it is attached */
  async join(line: SerialLine, reader: SerialReader): Promise<string | undefined> {
    line.join(reader);
    if (!line.isAttached) await this.#ask();
    if (line.isAttached) return undefined;
    const reason = this.whyNot(line) ?? 'The gateway could not attach to it.';
    this.leave(line, reader);
    return reason;
  }

  leave(line: SerialLine, reader: SerialReader): void {
    line.leave(reader);
    if (!this.#ended && line.isAttached && !this.#isWanted(line)) this.#detach(line);
  }

  /** Why a line is not to be had; null when it is. */
  whyNot(line: SerialLine): string | null {
    if (line.isAttached) return null;
    const obstacle = this.#obstacle(line.found);
    if (obstacle !== undefined) return obstacle;
    if (line.found.backEnd.kind === 'ringbuf') return null;
    const address = this.#hold(line.found);
    if ('reason' in address) return address.reason;
    address.held.release();
    return this.surroundings.claims.has(nameOf(address.held)) ? claimed : null;
  }

  /** For good. */
  end(): void {
    this.#ended = true;
    this.#retry?.cancel();
    for (const line of this.#lines.values()) this.#drop(line);
    this.#lines.clear();
  }

  #ask(): Promise<void> {
    return (this.#asking ??= this.#find().finally(() => (this.#asking = undefined)));
  }

  async #find(): Promise<void> {
    const { vm } = this;
    if (!vm.ready || vm.schema === undefined || this.surroundings.settings.attach === 'never') return;
    const lost: string[] = [];
    const ask: Ask = async (command, json) => {
      const settlement = await this.#settle(command, json);
      if (!isAnswer(settlement)) lost.push(command);
      return valueOf(settlement);
    };
    const findings = await this.#search.run(ask, vm.schema.model, vm.ownMonitor.chardevs);
    if (lost.length > 0) {
      // What is not known is not gone, and what the VM was said to have may be half of it.
      this.#search.forget();
      this.#tryAgain(this.#backoff.next());
      return;
    }
    if (findings === undefined || this.#ended) return;
    this.#reason = findings.reason;
    this.#isKnown = true;
    const found = new Map(findings.serials.map((serial) => [serial.id, serial]));
    for (const [id, line] of this.#lines)
      if (!found.has(id)) {
        this.#lines.delete(id);
        this.#drop(line);
      }
    for (const [id, serial] of found) {
      const line = this.#lines.get(id) ?? new SerialLine(serial, this.surroundings.nextRun(), this.#lineEnded);
      line.found = serial;
      this.#lines.set(id, line);
      if (this.#isWanted(line) && !line.isAttached) this.#attach(line);
    }
  }

  readonly #query: Ask = async (command, json) => valueOf(await this.#settle(command, json));

  #settle(command: string, json?: string): Promise<Settlement> {
    const { queue, monitor } = this.vm;
    return answerThroughQueue(queue, monitor, command, json);
  }

  /** Sockets of consoles always: QEMU throws away what nobody reads. All else has other readers, or none it would keep for. */
  #isWanted({ found: { backEnd, device }, readers }: SerialLine): boolean {
    if (readers > 0) return true;
    return this.surroundings.settings.attach === 'always' && backEnd.kind === 'socket' && !device.isPort;
  }

  #attach(line: SerialLine): void {
    const { backEnd } = line.found;
    const obstacle = this.#obstacle(line.found);
    if (obstacle !== undefined) {
      if (obstacle === isHeld) this.#tryAgain(heldAgainMs);
      return;
    }
    try {
      if (backEnd.kind === 'ringbuf')
        line.attach((owner) => new RingBufferLink(line.id, this.#query, owner, this.surroundings.clock));
      else this.#attachFile(line, backEnd.kind === 'pty' ? openPtyLink : openSocketLink);
      this.#attachedAt.set(line, this.surroundings.clock.now());
    } catch {
      // The file went away since it was looked at.
      this.#tryAgain(this.#backoff.next());
    }
  }

  #attachFile(line: SerialLine, open: (file: HeldFile, owner: SerialLinkOwner) => SerialLink): void {
    const address = this.#hold(line.found);
    if ('reason' in address) return;
    const { held } = address;
    const { claims } = this.surroundings;
    const name = nameOf(held);
    if (claims.has(name)) {
      held.release();
      return;
    }
    line.attach((owner) => open(held, owner));
    claims.set(name, line);
    this.#claimOf.set(line, name);
  }

  #obstacle({ backEnd }: FoundSerial): string | undefined {
    if (this.surroundings.settings.attach === 'never') return never;
    if ('reason' in backEnd) return backEnd.reason;
    if (!this.vm.ready) return this.vm.condition;
    return backEnd.kind === 'socket' && backEnd.held ? isHeld : undefined;
  }

  #hold({ backEnd }: FoundSerial): HeldAddress {
    if (!('path' in backEnd)) return { reason: 'It has no path.' };
    const { definition } = this.vm;
    return backEnd.kind === 'pty'
      ? holdPty(backEnd.path, definition)
      : holdSerialSocket(backEnd.path, definition, this.surroundings.rules);
  }

  readonly #lineEnded = (line: SerialLine): void => {
    this.#release(line);
    const { clock } = this.surroundings;
    if (clock.now() - (this.#attachedAt.get(line) ?? 0) > lastingMs) this.#backoff.reset();
    this.#tryAgain(this.#backoff.next());
  };

  /** Of a VM that is away nothing is tried: its next session is. */
  #tryAgain(milliseconds: number): void {
    if (this.#ended) return;
    const { clock } = this.surroundings;
    const at = clock.now() + milliseconds;
    if (at >= this.#retryAt) return;
    this.#retry?.cancel();
    this.#retryAt = at;
    this.#retry = clock.schedule(milliseconds, () => {
      this.#retryAt = Infinity;
      void this.#ask();
    });
  }

  #detach(line: SerialLine): void {
    line.detach();
    this.#release(line);
  }

  #drop(line: SerialLine): void {
    line.end();
    this.#release(line);
  }

  #release(line: SerialLine): void {
    const name = this.#claimOf.get(line);
    if (name !== undefined) this.surroundings.claims.delete(name);
    this.#claimOf.delete(line);
  }
}

const claimed = 'Another VM of this gateway has the same socket or pty.';

function valueOf(settlement: Settlement): Buffer | undefined {
  return settlement.kind === 'return' ? settlement.value : undefined;
}

/** Whether the same question would have the same end: no session ended with it, and it had its turn. */
function isAnswer(settlement: Settlement): boolean {
  if (settlement.kind === 'unknown') return settlement.tooLong === true;
  return settlement.kind !== 'not-sent';
}

/** A file has one name in a running system, whatever paths lead to it. */
function nameOf({ status }: HeldFile): string {
  return `${status.dev}:${status.ino}`;
}
