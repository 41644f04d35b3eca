import { monitorTransitions, type MonitorStateName } from '@qmp-gateway/qmp';
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
import { latencyBounds, type CommandMetrics, type Histogram } from './command-metrics.js';

/** States a VM can be shown in; the labels of `qmpgw_vm_state`. */
const shownStates = (Object.keys(monitorTransitions) as MonitorStateName[]).filter(
  (state) => state !== 'idle' && state !== 'stopped',
);

/**
 * The metrics as Prometheus reads them. Everything is counted in plain numbers where it happens and turned into series
 * only here, when somebody scrapes. Labels are bounded: ids of registered VMs, names of commands that VMs offer.
 */
export class GatewayMetrics {
  readonly #registry = new Registry();

  constructor(vms: VmRegistry, commands: CommandMetrics, hub: EventHub) {
    collectDefaultMetrics({ register: this.#registry });
    const registers = [this.#registry];
    new Gauge({
      name: 'qmpgw_vm_state',
      help: '1 for the state a VM is in, 0 for the others.',
      labelNames: ['vm', 'state'],
      registers,
      collect() {
        this.reset();
        for (const vm of vms.all())
          for (const state of shownStates) this.set({ vm: vm.id, state }, vm.monitor.state.name === state ? 1 : 0);
      },
    });
    new Gauge({
      name: 'qmpgw_vm_commands_in_flight',
      help: 'Unanswered commands of a VM.',
      labelNames: ['vm'],
      registers,
      collect() {
        this.reset();
        for (const vm of vms.all()) this.set({ vm: vm.id }, vm.inFlight);
      },
    });
    new Gauge({
      name: 'qmpgw_vm_commands_queued',
      help: 'Commands that wait for a place at a VM.',
      labelNames: ['vm'],
      registers,
      collect() {
        this.reset();
        for (const vm of vms.all()) this.set({ vm: vm.id }, vm.queue.size);
      },
    });
    new Counter({
      name: 'qmpgw_vm_anomalies_total',
      help: 'What VMs did that is odd but no reason to fail, by kind; for example replies to a former client.',
      labelNames: ['vm', 'kind'],
      registers,
      collect() {
        this.reset();
        for (const vm of vms.all()) for (const [kind, count] of vm.anomalies) this.inc({ vm: vm.id, kind }, count);
      },
    });
    new Counter({
      name: 'qmpgw_commands_total',
      help: 'Commands by kind of VM, name and outcome (done, or the code of the problem).',
      labelNames: ['kind', 'command', 'outcome'],
      registers,
      collect() {
        this.reset();
        for (const [kind, byCommand] of commands.commands)
          for (const [command, byOutcome] of byCommand)
            for (const [outcome, count] of byOutcome) this.inc({ kind, command, outcome }, count);
      },
    });
    this.#histogram('qmpgw_command_queue_seconds', 'Time commands waited for their turn.', commands.queue);
    this.#histogram('qmpgw_command_qmp_seconds', 'Time from writing a command to its reply.', commands.qmp);
    this.#histogram('qmpgw_command_seconds', 'Time from the arrival of a command to its answer.', commands.whole);
    new Counter({
      name: 'qmpgw_events_total',
      help: 'Events by what became of them: in, delivered (once for each subscriber), dropped, coalesced.',
      labelNames: ['what'],
      registers,
      collect() {
        this.reset();
        const { published, delivered, dropped, coalesced } = hub.stats;
        this.inc({ what: 'in' }, published);
        this.inc({ what: 'delivered' }, delivered);
        this.inc({ what: 'dropped' }, dropped);
        this.inc({ what: 'coalesced' }, coalesced);
      },
    });
    new Gauge({
      name: 'qmpgw_event_subscribers',
      help: 'Open event streams and subscriptions.',
      registers,
      collect() {
        this.set(hub.stats.subscribers);
      },
    });
  }

  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;

  /** The text a scrape gets. */
  render(): Promise<string> {
    return this.#registry.metrics();
  }

  #histogram(name: string, help: string, histogram: Histogram): void {
    this.#registry.registerMetric(new CollectedHistogram(name, help, histogram) as never);
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
