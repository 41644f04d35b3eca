import { monitorTransitions, type Health, type MonitorStateName } from '@qmp-gateway/qmp';
import {
  collectDefaultMetrics,
  Counter,
  Gauge,
  Registry,
  type MetricObjectWithValues,
  type MetricValue,
} from 'prom-client';
import type { FleetMember } from '../fleet/fleet-member.js';
import type { ShownEvents } from '../events/shown-events.js';
import type { FleetEventCounts, FleetEvents } from '../fleet/events/fleet-events.js';
import type { StreamCounts } from '../upgrades/stream-counts.js';
import type { VmRegistry } from '../vms/vm-registry.js';
import { agentStates, type VmAgent } from '../vms/vm-agent.js';
import type { Vm } from '../vms/vm.js';
import type { DescriptorCounts } from '../commands/descriptor-counts.js';
import { standardError } from '../settings/log-output.js';
import { Histogram, latencyBounds, type CommandMetrics } from '../commands/command-metrics.js';
import { metricTable, type MetricDescription, type MetricName } from './metric-table.js';

/** The shown states of a VM; the labels of `qmpgw_vm_state`. */
const shownStates = (Object.keys(monitorTransitions) as MonitorStateName[]).filter(
  (state) => state !== 'idle' && state !== 'stopped',
);

const healths: readonly Health[] = ['ok', 'slow', 'unresponsive'];

/** Where the numbers are. */
export interface Counted {
  readonly vms: VmRegistry;
  readonly commands: CommandMetrics;
  readonly events: ShownEvents;
  readonly streams: StreamCounts;
  readonly descriptors: DescriptorCounts;
  /** Null without a fleet. */
  readonly fleetEvents: FleetEvents | null;
  readonly version: string;
  /** Null without a fleet. */
  readonly fleet: FleetMember | null;
}

/** Sets one series; labels in the order of the table. */
type SetSeries = (value: number, ...labels: string[]) => void;

/**
 * The metrics for Prometheus, as described in the metric table. Everything is counted in plain numbers where it happens
 * and converted to series only here, at each scrape.
 */
export class GatewayMetrics {
  readonly #registry = new Registry();

  constructor({ vms, commands, events, streams, descriptors, fleetEvents, version, fleet }: Counted) {
    collectDefaultMetrics({ register: this.#registry });
    const perVm = (name: MetricName, collect: (vm: Vm, set: SetSeries) => void) =>
      this.#series(name, (set) => {
        for (const vm of vms.all()) collect(vm, set);
      });
    this.#series('qmpgw_info', (set) => set(1, version));
    perVm('qmpgw_vm_state', (vm, set) => {
      for (const state of shownStates) set(Number(vm.state === state), vm.id, state);
    });
    perVm('qmpgw_vm_health', (vm, set) => {
      for (const health of healths) set(Number(vm.health === health), vm.id, health);
    });
    perVm('qmpgw_vm_commands_in_flight', (vm, set) => set(vm.inFlight, vm.id));
    perVm('qmpgw_vm_commands_queued', (vm, set) => set(vm.queue.size, vm.id));
    const perAgent = (name: MetricName, collect: (agent: VmAgent, set: SetSeries) => void) =>
      perVm(name, ({ agent }, set) => {
        if (agent !== null) collect(agent, set);
      });
    perAgent('qmpgw_agent_state', ({ id, state }, set) => {
      for (const shown of agentStates) set(Number(state === shown), id, shown);
    });
    perAgent('qmpgw_agent_commands_in_flight', ({ id, monitor }, set) => set(monitor.inFlight, id));
    perAgent('qmpgw_agent_commands_queued', ({ id, queue }, set) => set(queue.size, id));
    perVm('qmpgw_vm_anomalies_total', (vm, set) => {
      for (const [kind, count] of vm.anomalies) set(count, vm.id, kind);
    });
    const byOutcome = (name: MetricName, counts: CommandMetrics['commands']) =>
      this.#series(name, (set) => {
        for (const [kind, byCommand] of counts)
          for (const [command, outcomes] of byCommand)
            for (const [outcome, count] of outcomes) set(count, kind, command, outcome);
      });
    byOutcome('qmpgw_commands_total', commands.commands);
    byOutcome('qmpgw_work_total', commands.work);
    this.#histogram('qmpgw_command_queue_seconds', commands.queue);
    this.#histogram('qmpgw_command_qmp_seconds', commands.qmp);
    this.#histogram('qmpgw_command_seconds', commands.whole);
    this.#series('qmpgw_events_total', (set) => {
      set(events.node.stats.published, 'in');
      for (const what of ['delivered', 'dropped', 'coalesced'] as const)
        set(events.node.stats[what] + (events.fleet?.stats[what] ?? 0), what);
    });
    this.#series('qmpgw_event_subscribers', (set) =>
      set(events.node.stats.subscribers + (events.fleet?.stats.subscribers ?? 0)),
    );
    this.#streams(streams);
    this.#series('qmpgw_descriptors_total', (set) => {
      for (const [outcome, count] of Object.entries(descriptors.all)) set(count, outcome);
    });
    this.#fleet(fleet);
    this.#ofFleetEvents(fleetEvents);
    this.#series('qmpgw_log_lost_lines_total', (set) => set(standardError.lost));
  }

  #fleet(fleet: FleetMember | null): void {
    const nodes = () => fleet?.directory?.nodes() ?? [];
    this.#series('qmpgw_fleet_connected', (set) => {
      if (fleet !== null) set(Number(fleet.link.connected));
    });
    this.#series('qmpgw_fleet_reconnects_total', (set) => {
      if (fleet !== null) set(fleet.link.reconnects);
    });
    this.#series('qmpgw_fleet_nodes', (set) => {
      if (fleet?.directory === undefined) return;
      const reachable = nodes().filter((node) => node.reachable).length;
      set(reachable, 'reachable');
      set(nodes().length - reachable, 'unreachable');
    });
    this.#series('qmpgw_fleet_heard_age_seconds', (set) => {
      for (const { node, silentMs } of nodes()) set(silentMs / 1000, node);
    });
  }

  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;

  /** The text of a scrape. */
  render(): Promise<string> {
    return this.#registry.metrics();
  }

  #streams(streams: StreamCounts): void {
    this.#series('qmpgw_stream_clients', (set) => {
      for (const [stream, { looking, typing }] of streams.all()) {
        set(looking, stream, 'looking');
        set(typing, stream, 'typing');
      }
    });
    this.#series('qmpgw_stream_bytes_total', (set) => {
      for (const [stream, { received, sent }] of streams.all()) {
        set(received, stream, 'received');
        set(sent, stream, 'sent');
      }
    });
  }

  #ofFleetEvents(events: FleetEvents | null): void {
    const one = (name: MetricName, count: (counts: FleetEventCounts) => number | undefined) =>
      this.#series(name, (set) => {
        const value = events === null ? undefined : count(events.counts);
        if (value !== undefined) set(value);
      });
    this.#histogram('qmpgw_fleet_publish_seconds', events?.counts.publishSeconds ?? new Histogram());
    one('qmpgw_fleet_buffer_events', ({ bufferEvents }) => bufferEvents);
    one('qmpgw_fleet_dropped_events_total', ({ droppedEvents }) => droppedEvents);
    one('qmpgw_fleet_stream_lag', ({ lag }) => lag);
    one('qmpgw_fleet_lost_events_total', ({ lostEvents }) => lostEvents);
    one('qmpgw_fleet_gap_fills_total', ({ gapFills }) => gapFills);
    one('qmpgw_fleet_resubscribes_total', ({ resubscribes }) => resubscribes);
  }

  /** A metric whose series are rebuilt at each scrape, so that series of forgotten VMs end. */
  #series(name: MetricName, collect: (set: SetSeries) => void): void {
    const { type, help, labels }: MetricDescription = metricTable[name];
    const labelNames = Object.keys(labels);
    const labelled = (values: readonly string[]) =>
      Object.fromEntries(labelNames.map((label, at) => [label, values[at] ?? '']));
    const common = { name, help, labelNames, registers: [this.#registry] };
    if (type === 'gauge')
      new Gauge({
        ...common,
        collect() {
          this.reset();
          collect((value, ...values) => this.set(labelled(values), value));
        },
      });
    else
      new Counter({
        ...common,
        collect() {
          this.reset();
          collect((value, ...values) => this.inc(labelled(values), value));
        },
      });
  }

  #histogram(name: MetricName, histogram: Histogram): void {
    this.#registry.registerMetric(new CollectedHistogram(name, metricTable[name].help, histogram) as never);
  }
}

/** A histogram that is filled elsewhere, because prom-client's own hashes labels at each observation. */
class CollectedHistogram {
  readonly aggregator = 'sum';

  constructor(
    readonly name: string,
    private readonly help: string,
    private readonly histogram: Histogram,
  ) {}

  get(): Promise<Omit<MetricObjectWithValues<MetricValue<string>>, 'collect'>> {
    const { counts, sum, count } = this.histogram;
    let below = 0;
    const buckets = [...latencyBounds, '+Inf'].map((le, at) => {
      below += counts[at] ?? 0;
      return { labels: { le }, value: below, metricName: `${this.name}_bucket` };
    });
    const values = [
      ...buckets,
      { labels: {}, value: sum, metricName: `${this.name}_sum` },
      { labels: {}, value: count, metricName: `${this.name}_count` },
    ];
    // The type is an ambient const enum of prom-client, which isolated modules cannot read.
    return Promise.resolve({ name: this.name, help: this.help, type: 'histogram' as never, aggregator: 'sum', values });
  }

  reset(): void {
    // Counted where commands run.
  }
}
