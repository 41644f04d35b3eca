/**
 * Stand-ins for the other end of a monitor, for tests, benchmarks and the demo: a scriptable fake, a fault proxy, a
 * StratoVirt fake, real QEMU processes and a real Linux in one. Not part of the product.
 */
export { blockingFifo, type BlockingFifo } from './blocking-fifo.js';
export { makeCertificates, type Certificate, type Certificates } from './certificates.js';
export { FakeConnection } from './fake-connection.js';
export {
  FakeMonitor,
  type FakeAnswer,
  type FakeCommand,
  type FakeHandler,
  type FakeMonitorOptions,
} from './fake-monitor.js';
export { FaultProxy, type FaultRules } from './fault-proxy.js';
export {
  echoBootSector,
  serialEchoBootSector,
  serialFloodBootSector,
  floodBootSector,
  panicBootSector,
  powerButtonBootSector,
  powerOffBootSector,
  repaintBootSector,
  watchdogBootSector,
} from './boot-sectors.js';
export { fullBacklog, type FullBacklog } from './full-backlog.js';
export { HostileMonitor, nasty, ownEventNames, type HostileOptions, type HostileSchema } from './hostile-monitor.js';
export { InstantMonitor } from './instant-monitor.js';
export { bootLinuxGuest, guestKernelDirectory, type LinuxGuest, type LinuxGuestOptions } from './linux-guest.js';
export type { ProbedLatency } from './latency-probe.js';
export { ManualClock } from './manual-clock.js';
export { hasKvm, launchQemu, monitorArguments, superviseProcess, type Qemu, type QemuOptions } from './qemu.js';
export { LineReader } from './line-reader.js';
export { NatsServer, NatsServers, type NatsOptions } from './nats-server.js';
export { RawQmpClient, SilentServer } from './raw-qmp-client.js';
export { RawWebSocket, type MessagesListener } from './raw-web-socket.js';
export { RecordingHost, probe, type ProbedExecution } from './recording-host.js';
export { Scene, type StagedMonitor } from './scene.js';
export { stagedDisk } from './staged-disk.js';
export { stratovirtCommands } from './stratovirt-commands.js';
export {
  StratovirtFake,
  type StratovirtAnswer,
  type StratovirtHandler,
  type StratovirtOptions,
} from './stratovirt-fake.js';
export { syncAnswer } from './sync-answer.js';
export { makeTempDir, removeTempDir } from './temp-dir.js';
