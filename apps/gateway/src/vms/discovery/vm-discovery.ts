import { systemClock, type Clock, type Timer } from '@qmp-gateway/qmp';
import { SerialQueue } from '../../bounds/serial-queue.js';
import { maxSocketPathBytes } from '../../settings/listener-address.js';
import { vmIdPattern, type VmDefinition } from '../../settings/vm-definition.js';
import { type DiscoverySettings } from '../../settings/socket-settings.js';
import type { VmRegistry } from '../vm-registry.js';
import { DirectoryWatches, type DirectoryObserver } from './directory-watches.js';
import { DiscoveryPattern, type Placeholders } from '../../settings/discovery-pattern.js';
import { PatternScan, type FoundSocket } from './pattern-scan.js';
import type { Warnings } from '../warnings.js';
import { WarningsOnce } from './warnings-once.js';

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

interface Discovered {
  readonly id: string;
  readonly definition: VmDefinition;
  inode: bigint;
  missingSince: number | undefined;
}

/** Who has the VMs that are discovered: the registry. */
export type DiscoveredVms = Pick<VmRegistry, 'provide' | 'socketReplaced'>;

/** VMs that come and go with their sockets (`discover`). */
export class VmDiscovery implements DirectoryObserver {
  readonly #watches: DirectoryWatches;
  readonly #warnings: Warnings;
  /** By path. */
  readonly #discovered = new Map<string, Discovered>();
  readonly #pathOfId = new Map<string, string>();
  readonly #changed = new Set<string>();
  #sources: readonly { readonly scan: PatternScan; readonly agent: DiscoveryPattern | undefined }[] = [];
  #looks = 0;
  #lookTookMs = 0;
  /** The registry was not called since the last change. */
  #unprovided = false;
  /** One look after the other; a hung file system holds up this and nothing else. */
  readonly #looking = new SerialQueue();
  #next: { readonly at: number; readonly timer: Timer } | undefined;
  /** A look waits for the one under way. */
  #queued = false;
  #stopped = false;

  constructor(
    private readonly registry: DiscoveredVms,
    log: Warnings,
    private readonly clock: Clock = systemClock,
  ) {
    this.#warnings = new WarningsOnce(log);
    this.#watches = new DirectoryWatches(this, this.#warnings);
  }

  directoryChanged(directory: string): void {
    this.#changed.add(directory);
    this.#lookIn(this.#gatherMs());
  }

  /** Looks for these sockets from now on, in place of those before. Resolves when that was done once. */
  watch(settings: readonly DiscoverySettings[]): Promise<void> {
    return this.#oneAtATime(() => {
      this.#sources = settings.map(({ qmp, agent }) => ({
        scan: new PatternScan(new DiscoveryPattern(qmp), this.#warnings, { clock: this.clock }),
        agent: agent === undefined ? undefined : new DiscoveryPattern(agent),
      }));
      this.#discovered.clear();
      this.#pathOfId.clear();
      this.#unprovided = true;
      this.#looks = 0;
      this.#next?.timer.cancel();
      this.#next = undefined;
      return this.#look();
    });
  }

  /** Resolves when no look is under way. */
  settled(): Promise<void> {
    return this.#looking.idle();
  }

  stop(): void {
    this.#stopped = true;
    this.#next?.timer.cancel();
    this.#watches.close();
  }

  /** Schedules the next look, no later than this. */
  #lookIn(milliseconds: number): void {
    if (this.#stopped || this.#sources.length === 0) return;
    const at = this.clock.now() + milliseconds;
    if (this.#next !== undefined && this.#next.at <= at) return;
    this.#next?.timer.cancel();
    const timer = this.clock.schedule(milliseconds, () => {
      this.#next = undefined;
      if (this.#queued) return;
      this.#queued = true;
      void this.#oneAtATime(() => {
        this.#queued = false;
        return this.#look();
      });
    });
    this.#next = { at, timer };
  }

  /** A look that fails is followed by another. */
  #oneAtATime(step: () => Promise<void>): Promise<void> {
    return this.#looking.run(step).catch((error: unknown) => {
      this.#warnings.warn(`discovery failed: ${String(error)}`);
      this.#lookIn(lookEveryMs);
    });
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
    if (this.#unprovided) {
      this.#unprovided = false;
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
          this.#unprovided = true;
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
      this.#warnings.warn(
        `${path}: ${JSON.stringify(id)} is not an id of a VM (letters, digits and . _ -, at most 128)`,
      );
    else if (Buffer.byteLength(path) > maxSocketPathBytes)
      this.#warnings.warn(`${path}: longer than a socket's path can be (${maxSocketPathBytes} bytes)`);
    else if (taken !== undefined) this.#warnings.warn(`${path}: VM ${id} has the socket ${taken} already`);
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
      this.#unprovided = true;
    }
  }

  #agentPath(socket: string, pattern: DiscoveryPattern, values: Placeholders): string | undefined {
    const path = pattern.fill(values);
    if (path === undefined)
      this.#warnings.warn(`${socket}: its name makes a path with .. of ${pattern.text}; the VM has no agent`);
    else if (Buffer.byteLength(path) <= maxSocketPathBytes) return path;
    else
      this.#warnings.warn(
        `${path}: longer than a socket's path can be (${maxSocketPathBytes} bytes); the VM has no agent`,
      );
    return undefined;
  }
}
