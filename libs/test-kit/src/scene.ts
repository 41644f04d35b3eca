import { Monitor, type Endpoint, type MonitorOptions } from '@qmp-gateway/qmp';
import { FakeMonitor, type FakeMonitorOptions } from './fake-monitor.js';
import { launchQemu, type Qemu, type QemuOptions } from './qemu.js';
import { RecordingHost } from './recording-host.js';
import { makeTempDir, removeTempDir } from './temp-dir.js';

export interface StagedMonitor {
  readonly monitor: Monitor;
  readonly host: RecordingHost;
}

/** The resources of one test, ended in reverse order by `end()`. */
export class Scene {
  readonly #cleanups: (() => unknown)[] = [];
  readonly #starting = new Set<Promise<unknown>>();

  /** Adds any other resource. */
  keep<Thing>(thing: Thing, cleanup: (thing: Thing) => unknown): Thing {
    this.#cleanups.push(() => cleanup(thing));
    return thing;
  }

  /**
   * Adds a resource that takes time to start. It is ended even if the test gave up before it had started, as it does when
   * another resource that it wanted at the same time failed.
   */
  async start<Thing>(starting: Promise<Thing>, cleanup: (thing: Thing) => unknown): Promise<Thing> {
    const started = starting.then((thing) => this.keep(thing, cleanup));
    this.#starting.add(started);
    try {
      return await started;
    } finally {
      this.#starting.delete(started);
    }
  }

  directory(): string {
    return this.keep(makeTempDir(), removeTempDir);
  }

  fake(options?: FakeMonitorOptions): Promise<FakeMonitor> {
    return this.start(FakeMonitor.start(options), (fake) => fake.stop());
  }

  qemu(options?: QemuOptions): Promise<Qemu> {
    return this.start(launchQemu(options), (qemu) => qemu.stop());
  }

  /** A monitor that is not started yet. */
  monitor(endpoint: Endpoint | string, options?: MonitorOptions): StagedMonitor {
    const host = new RecordingHost();
    const where: Endpoint = typeof endpoint === 'string' ? { kind: 'unix', path: endpoint } : endpoint;
    const monitor = this.keep(new Monitor(where, host, options), (made) => made.stop());
    return { monitor, host };
  }

  /** A monitor that is started and ready. */
  async ready(endpoint: Endpoint | string, options?: MonitorOptions): Promise<StagedMonitor> {
    const staged = this.monitor(endpoint, options);
    staged.monitor.start();
    await staged.host.reached(staged.monitor, 'ready');
    return staged;
  }

  async end(): Promise<void> {
    await Promise.allSettled(this.#starting);
    for (const cleanup of this.#cleanups.splice(0).reverse()) await cleanup();
  }
}
