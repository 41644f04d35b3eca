import { systemClock, type Clock, type Timer } from '@qmp-gateway/qmp';
import { maxSocketPathBytes } from '../../settings/listener-address.js';
import { vmIdPattern, type DiscoverySettings, type VmDefinition } from '../../settings/settings.js';
import type { VmRegistry } from '../vm-registry.js';
import { DirectoryWatches } from './directory-watches.js';
import { DiscoveryPattern, type Placeholders } from './discovery-pattern.js';
import { PatternScan, type FoundSocket } from './pattern-scan.js';

/** From one look to the next when no watch tells of a change: there are file systems that can't. */
export const lookEveryMs = 500;
/** A look after a change, so that many at once are one. */
const gatherMs = 20;
/**
 * A socket that was there is gone when it was missing this long: a VM that is started again keeps its row, and one that
 * ends is let say so, its last answer and event being on their way when its file goes.
 */
export const goneAfterMs = 250;
/** Looks at everything, whatever seems not to have changed: once in so many. */
const everythingEach = 20;
const mostWarnings = 1000;

interface Discovered {
  readonly id: string;
  readonly definition: VmDefinition;
  inode: bigint;
  missingSince: number | undefined;
}

/** VMs that come and go with their sockets (`discover`). */
export class VmDiscovery {
  readonly #watches: DirectoryWatches;
  readonly #warned = new Set<string>();
  /** By path. */
  readonly #discovered = new Map<string, Discovered>();
  readonly #pathOfId = new Map<string, string>();
  readonly #changed = new Set<string>();
  #sources: readonly { readonly scan: PatternScan; readonly agent: DiscoveryPattern | undefined }[] = [];
  #looks = 0;
  #lookTookMs = 0;
  /** The registry does not know yet. */
  #untold = false;
  /** The look under way, or the last one. */
  #looking: Promise<void> = Promise.resolve();
  #next: { readonly at: number; readonly timer: Timer } | undefined;
  /** A look waits for the one under way. */
  #queued = false;
  #stopped = false;

  constructor(
    private readonly registry: Pick<VmRegistry, 'provide' | 'socketReplaced'>,
    private readonly warning: (message: string) => void,
    private readonly clock: Clock = systemClock,
  ) {
    this.#watches = new DirectoryWatches(
      (directory) => {
        this.#changed.add(directory);
        this.#lookIn(this.#gatherMs());
      },
      (message) => this.#warnOnce(message),
    );
  }

  /** Looks for these sockets from now on, in place of those before. Resolves when that was done once. */
  watch(settings: readonly DiscoverySettings[]): Promise<void> {
    return this.#inTurn(() => {
      this.#sources = settings.map(({ qmp, agent }) => ({
        scan: new PatternScan(new DiscoveryPattern(qmp), (message) => this.#warnOnce(message)),
        agent: agent === undefined ? undefined : new DiscoveryPattern(agent),
      }));
      this.#discovered.clear();
      this.#pathOfId.clear();
      this.#untold = true;
      this.#looks = 0;
      this.#next?.timer.cancel();
      this.#next = undefined;
      return this.#look();
    });
  }

  /** Resolves when no look is under way. */
  async settled(): Promise<void> {
    await this.#looking;
  }

  stop(): void {
    this.#stopped = true;
    this.#next?.timer.cancel();
    this.#watches.close();
  }

  /** Then at the latest. */
  #lookIn(milliseconds: number): void {
    if (this.#stopped || this.#sources.length === 0) return;
    const at = this.clock.now() + milliseconds;
    if (this.#next !== undefined && this.#next.at <= at) return;
    this.#next?.timer.cancel();
    const timer = this.clock.schedule(milliseconds, () => {
      this.#next = undefined;
      if (this.#queued) return;
      this.#queued = true;
      void this.#inTurn(() => {
        this.#queued = false;
        return this.#look();
      });
    });
    this.#next = { at, timer };
  }

  /** One look after the other; a hung file system holds up this and nothing else. */
  #inTurn(step: () => Promise<void>): Promise<void> {
    this.#looking = this.#looking.then(step).catch((error: unknown) => {
      this.#warnOnce(`discovery failed: ${String(error)}`);
      this.#lookIn(lookEveryMs);
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    if (this.#stopped) return;
    const began = this.clock.now();
    const changed = this.#looks++ % everythingEach === 0 ? 'all' : new Set(this.#changed);
    this.#changed.clear();
    const found = new Map<string, { socket: FoundSocket; agent: DiscoveryPattern | undefined }>();
    const directories = new Map<string, bigint>();
    for (const { scan, agent } of this.#sources) {
      for (const [path, socket] of await scan.look(changed)) if (!found.has(path)) found.set(path, { socket, agent });
      for (const [path, inode] of scan.directories()) directories.set(path, inode);
    }
    if (this.#isStopped()) return;
    this.#watches.watch(directories);
    const replaced = this.#compare(found);
    for (const [path, { socket, agent }] of found) this.#take(path, socket, agent);
    this.#lookTookMs = this.clock.now() - began;
    this.#lookIn(this.#changed.size > 0 ? this.#gatherMs() : this.#isAnyMissing() ? goneAfterMs : lookEveryMs);
    if (this.#untold) {
      this.#untold = false;
      const definitions = [...this.#discovered.values()].map(({ id, definition }) => [id, definition] as const);
      await this.registry.provide('discovery', new Map(definitions));
    }
    for (const { id, since } of replaced) await this.registry.socketReplaced('discovery', id, since);
  }

  #isStopped(): boolean {
    return this.#stopped;
  }

  /** A directory that never rests takes a fifth of the time at most. */
  #gatherMs(): number {
    return Math.min(lookEveryMs, Math.max(gatherMs, 4 * this.#lookTookMs));
  }

  #isAnyMissing(): boolean {
    for (const { missingSince } of this.#discovered.values()) if (missingSince !== undefined) return true;
    return false;
  }

  /** Forgets what is gone. @returns those whose socket is another one now */
  #compare(found: ReadonlyMap<string, { readonly socket: FoundSocket }>): { id: string; since: number }[] {
    const now = this.clock.now();
    return [...this.#discovered].flatMap(([path, known]) => {
      const socket = found.get(path)?.socket;
      if (socket === undefined) {
        known.missingSince ??= now;
        if (now - known.missingSince >= goneAfterMs) {
          this.#discovered.delete(path);
          this.#pathOfId.delete(known.id);
          this.#untold = true;
        }
        return [];
      }
      known.missingSince = undefined;
      if (known.inode === socket.inode) return [];
      known.inode = socket.inode;
      return [{ id: known.id, since: socket.changedAt }];
    });
  }

  #take(path: string, { values, inode, anchor }: FoundSocket, agentPattern: DiscoveryPattern | undefined): void {
    if (this.#discovered.has(path)) return;
    const { id = '', ...labels } = values;
    const taken = this.#pathOfId.get(id);
    if (!vmIdPattern.test(id))
      this.#warnOnce(`${path}: ${JSON.stringify(id)} is no id of a VM (letters, digits and . _ -, at most 128)`);
    else if (Buffer.byteLength(path) > maxSocketPathBytes)
      this.#warnOnce(`${path}: longer than a socket's path can be (${maxSocketPathBytes} bytes)`);
    else if (taken !== undefined) this.#warnOnce(`${path}: VM ${id} has the socket ${taken} already`);
    else {
      const agent = agentPattern && this.#agentPath(path, agentPattern, values);
      const anchors = {
        endpoint: anchor,
        ...(agent === undefined || agentPattern?.anchor === undefined ? {} : { agent: agentPattern.anchor }),
      };
      const definition: VmDefinition = {
        endpoint: `unix:${path}`,
        kind: 'auto',
        labels,
        anchors,
        ...(agent === undefined ? {} : { agent: `unix:${agent}` }),
      };
      this.#discovered.set(path, { id, definition, inode, missingSince: undefined });
      this.#pathOfId.set(id, path);
      this.#untold = true;
    }
  }

  #agentPath(socket: string, pattern: DiscoveryPattern, values: Placeholders): string | undefined {
    const path = pattern.fill(values);
    if (path === undefined)
      this.#warnOnce(`${socket}: its name makes a path with .. of ${pattern.text}; the VM has no agent`);
    else if (Buffer.byteLength(path) <= maxSocketPathBytes) return path;
    else
      this.#warnOnce(`${path}: longer than a socket's path can be (${maxSocketPathBytes} bytes); the VM has no agent`);
    return undefined;
  }

  /** Whoever makes odd files could make many. */
  #warnOnce(message: string): void {
    if (this.#warned.has(message) || this.#warned.size >= mostWarnings) return;
    this.#warned.add(message);
    this.warning(message);
    if (this.#warned.size === mostWarnings) this.warning('further warnings of discovery are not told');
  }
}
