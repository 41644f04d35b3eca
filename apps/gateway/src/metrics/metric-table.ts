import { serverKindNames } from '@qmp-gateway/catalog';

export interface MetricDescription {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Each label with its possible values: the set must be bounded, or series grow without end. */
  readonly labels: Readonly<Record<string, string>>;
}

const vm = 'the ids of registered VMs; the series of a VM end when the gateway forgets it';

/** The gateway's own metrics. `docs/metrics.md` is generated from this table, and no other metric is registered. */
export const metricTable = {
  qmpgw_info: { type: 'gauge', help: 'Always 1.', labels: { version: 'the version of the gateway' } },
  qmpgw_vm_state: {
    type: 'gauge',
    help: '1 for the current state of a VM, 0 for the others.',
    labels: { vm, state: 'the states of [lifecycle.md](lifecycle.md#as-clients-see-it)' },
  },
  qmpgw_vm_health: {
    type: 'gauge',
    help: '1 for the current health of a VM, 0 for the others; all 0 unless the VM is ready.',
    labels: { vm, health: '`ok`, `slow`, `unresponsive`' },
  },
  qmpgw_vm_commands_in_flight: { type: 'gauge', help: 'Unanswered commands of a VM.', labels: { vm } },
  qmpgw_vm_commands_queued: { type: 'gauge', help: 'Commands that wait in the queue of a VM.', labels: { vm } },
  qmpgw_agent_state: {
    type: 'gauge',
    help: '1 for the current state of the guest agent of a VM, 0 for the others; absent for VMs registered without one.',
    labels: { vm, state: '`connecting`, `ready`, `silent`, `busy`, `waiting`' },
  },
  qmpgw_agent_commands_in_flight: { type: 'gauge', help: 'Unanswered commands of a guest agent.', labels: { vm } },
  qmpgw_agent_commands_queued: {
    type: 'gauge',
    help: 'Commands that wait in the queue of a guest agent.',
    labels: { vm },
  },
  qmpgw_vm_anomalies_total: {
    type: 'counter',
    help: 'Anomalies: something odd that a VM did and that ends nothing, for example a reply to a former client.',
    labels: { vm, kind: 'a fixed list of anomalies' },
  },
  qmpgw_commands_total: {
    type: 'counter',
    help: 'Answered commands, by outcome.',
    labels: {
      kind: `${serverKindNames.map((kind) => `\`${kind}\``).join(', ')}, or \`unknown\` where no VM was found`,
      command:
        'commands that the VMs offer (the first 1,000 that were asked for, then `other`), or `unknown` for any other name',
      outcome: '`done`, or a code of [errors.md](errors.md)',
    },
  },
  qmpgw_work_total: {
    type: 'counter',
    help: 'Ended work of commands, by its final state; `qmpgw_commands_total` counts the replies.',
    labels: {
      kind: 'as above; `unknown` if the VM is gone',
      command: 'commands that start work',
      outcome: '`done`, `failed`, `cancelled`, `lost`',
    },
  },
  qmpgw_command_queue_seconds: { type: 'histogram', help: 'Time that commands waited in the queue.', labels: {} },
  qmpgw_command_qmp_seconds: { type: 'histogram', help: 'Time from writing a command to its reply.', labels: {} },
  qmpgw_command_seconds: { type: 'histogram', help: 'Time from the arrival of a command to its answer.', labels: {} },
  qmpgw_events_total: {
    type: 'counter',
    help: 'Events, by what happened to them; delivered, dropped and coalesced ones count once for each subscriber.',
    labels: { what: '`in`, `delivered`, `dropped`, `coalesced`' },
  },
  qmpgw_event_subscribers: { type: 'gauge', help: 'Open event streams and subscriptions.', labels: {} },
  qmpgw_stream_clients: {
    type: 'gauge',
    help: 'Open displays and serial lines.',
    labels: { stream: '`display`, `serial`', mode: '`looking`, `typing`' },
  },
  qmpgw_stream_bytes_total: {
    type: 'counter',
    help: 'Bytes of displays and serial lines, from clients and to them.',
    labels: { stream: '`display`, `serial`', direction: '`received`, `sent`' },
  },
  qmpgw_descriptors_total: {
    type: 'counter',
    help: 'File descriptors that were to be passed to VMs. None of them stays open in the gateway.',
    labels: {
      outcome:
        '`passed` (the VM has it), `refused` (its command was refused or failed), `unused` (a client of a monitor socket sent it, and no command took it)',
    },
  },
  qmpgw_fleet_connected: {
    type: 'gauge',
    help: '1 while the gateway has a connection with NATS, else 0; like all of the fleet absent without `fleet` in the settings.',
    labels: {},
  },
  qmpgw_fleet_reconnects_total: {
    type: 'counter',
    help: 'How often the connection with NATS came back.',
    labels: {},
  },
  qmpgw_fleet_nodes: {
    type: 'gauge',
    help: 'Other nodes of the fleet, as this one knows them.',
    labels: { state: '`reachable`, `unreachable`' },
  },
  qmpgw_fleet_heard_age_seconds: {
    type: 'gauge',
    help: 'Time since another node was last heard, or since this one began to listen.',
    labels: { node: 'the other nodes of the fleet; the series of a node end with its goodbye' },
  },
  qmpgw_fleet_publish_seconds: {
    type: 'histogram',
    help: 'Time until the stream of the fleet had a batch of events, tries that failed included.',
    labels: {},
  },
  qmpgw_fleet_buffer_events: { type: 'gauge', help: 'Events that wait for the stream of the fleet.', labels: {} },
  qmpgw_fleet_dropped_events_total: {
    type: 'counter',
    help: 'Events that the fleet never had: over the rate of their VM, or NATS was away for longer than the buffer lasts.',
    labels: {},
  },
  qmpgw_fleet_stream_lag: {
    type: 'gauge',
    help: 'Messages of the stream that this entry had not read when it last looked.',
    labels: {},
  },
  qmpgw_fleet_lost_events_total: {
    type: 'counter',
    help: 'Events that other nodes had sent and the stream of the fleet did not have: streams of clients were told of a gap.',
    labels: {},
  },
  qmpgw_fleet_gap_fills_total: {
    type: 'counter',
    help: 'Times that this entry asked the stream for messages it had not heard.',
    labels: {},
  },
  qmpgw_fleet_resubscribes_total: {
    type: 'counter',
    help: 'Times that this entry subscribed again, as it heard nothing while the stream went on.',
    labels: {},
  },
  qmpgw_log_lost_lines_total: {
    type: 'counter',
    help: 'Lines of the log that could not be written, because nobody reads them or the disk is full.',
    labels: {},
  },
} as const satisfies Readonly<Record<string, MetricDescription>>;

export type MetricName = keyof typeof metricTable;
