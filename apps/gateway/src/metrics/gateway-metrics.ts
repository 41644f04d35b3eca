import { monitorTransitions, type Health, type MonitorStateName } from '@qmp-gateway/qmp';
import {
  collectDefaultMetrics,
  Counter,
  Gauge,
  Registry,
  type MetricObjectWithValues,
  type MetricValue,
} from 'prom-client';
import type { EventHub } from '../events/event-hub.js';
import type { VmRegistry } from '../vms/vm-registry.js';
import { agentStates, type VmAgent } from '../vms/vm-agent.js';
import type { Vm } from '../vms/vm.js';
import { latencyBounds, type CommandMetrics, type Histogram } from './command-metrics.js';
import { metricTable, type MetricDescription, type MetricName } from './metric-table.js';

/** States a VM can be shown in; the labels of `qmpgw_vm_state`. */
const shownStates = (Object.keys(monitorTransitions) as MonitorStateName[]).filter(
  (state) => state !== 'idle' && state !== 'stopped',
);

const healths: readonly Health[] = ['ok', 'slow', 'unresponsive'];

/** Sets one series; labels in the order of the table. */
type SetSeries = (value: number, ...labels: string[]) => void;

/**
 * The metrics as Prometheus reads them, all of them described in the metric table. Everything is counted in plain
 * numbers where it happens and turned into series only here, when somebody scrapes.
 */
export class GatewayMetrics {
  readonly #registry = new Registry();

  constructor(vms: VmRegistry, commands: CommandMetrics, hub: EventHub, version: string) {
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
      const { published, delivered, dropped, coalesced } = hub.stats;
      set(published, 'in');
      set(delivered, 'delivered');
      set(dropped, 'dropped');
      set(coalesced, 'coalesced');
    });
    this.#series('qmpgw_event_subscribers', (set) => set(hub.stats.subscribers));
  }

  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;

  /** The text a scrape gets. */
  render(): Promise<string> {
    return this.#registry.metrics();
  }

  /** A metric whose series are made anew at each scrape, so that those of what is gone end. */
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

/** A histogram that is filled elsewhere: prom-client's own hashes labels at each observation. */
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
