import { Monitor, type Endpoint, type MonitorOptions } from '@qmp-gateway/qmp';
import { FakeMonitor, type FakeMonitorOptions } from './fake-monitor.js';
import { launchQemu, type Qemu, type QemuOptions } from './qemu.js';
import { RecordingHost } from './recording-host.js';
import { makeTempDir, removeTempDir } from './temp-dir.js';

export interface StagedMonitor {
  readonly monitor: Monitor;
  readonly host: RecordingHost;
}

/** What one test has set up, ended in reverse order by `end()`. */
export class Scene {
  readonly #cleanups: (() => unknown)[] = [];

  /** Keeps anything else until the end. */
  keep<Thing>(thing: Thing, cleanup: (thing: Thing) => unknown): Thing {
    this.#cleanups.push(() => cleanup(thing));
    return thing;
  }

  directory(): string {
    return this.keep(makeTempDir(), removeTempDir);
  }

  async fake(options?: FakeMonitorOptions): Promise<FakeMonitor> {
    return this.keep(await FakeMonitor.start(options), (fake) => fake.stop());
  }

  async qemu(options?: QemuOptions): Promise<Qemu> {
    return this.keep(await launchQemu(options), (qemu) => qemu.stop());
  }

  /** A monitor not yet started. */
  monitor(endpoint: Endpoint | string, options?: MonitorOptions): StagedMonitor {
    const host = new RecordingHost();
    const where: Endpoint = typeof endpoint === 'string' ? { kind: 'unix', path: endpoint } : endpoint;
    const monitor = this.keep(new Monitor(where, host, options), (made) => made.stop());
    return { monitor, host };
  }

  /** A monitor started and ready. */
  async ready(endpoint: Endpoint | string, options?: MonitorOptions): Promise<StagedMonitor> {
    const staged = this.monitor(endpoint, options);
    staged.monitor.start();
    await staged.host.reached(staged.monitor, 'ready');
    return staged;
  }

  async end(): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0).reverse()) await cleanup();
  }
}
