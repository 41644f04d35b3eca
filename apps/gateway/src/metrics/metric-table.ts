export interface MetricDescription {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Each label with the values it can have: none may make series without end. */
  readonly labels: Readonly<Record<string, string>>;
}

const vm = 'the ids of the VMs there are; the series of a VM end when it is forgotten';

/** The gateway's own metrics. `docs/metrics.md` is made of this table, and nothing else is registered. */
export const metricTable = {
  qmpgw_info: { type: 'gauge', help: 'Always 1.', labels: { version: 'the version of the gateway' } },
  qmpgw_vm_state: {
    type: 'gauge',
    help: '1 for the state a VM is in, 0 for the others.',
    labels: { vm, state: 'the states of [lifecycle.md](lifecycle.md#as-clients-see-it)' },
  },
  qmpgw_vm_health: {
    type: 'gauge',
    help: '1 for the health of a VM, 0 for the others; all 0 unless the VM is ready.',
    labels: { vm, health: '`ok`, `slow`, `unresponsive`' },
  },
  qmpgw_vm_commands_in_flight: { type: 'gauge', help: 'Unanswered commands of a VM.', labels: { vm } },
  qmpgw_vm_commands_queued: { type: 'gauge', help: 'Commands that wait for a place at a VM.', labels: { vm } },
  qmpgw_agent_state: {
    type: 'gauge',
    help: '1 for the state the guest agent of a VM is in, 0 for the others; absent for VMs registered without one.',
    labels: { vm, state: '`connecting`, `ready`, `silent`, `busy`, `waiting`' },
  },
  qmpgw_agent_commands_in_flight: { type: 'gauge', help: 'Unanswered commands of a guest agent.', labels: { vm } },
  qmpgw_agent_commands_queued: {
    type: 'gauge',
    help: 'Commands that wait for their turn at a guest agent.',
    labels: { vm },
  },
  qmpgw_vm_anomalies_total: {
    type: 'counter',
    help: 'What a VM did that is odd but no reason to fail; for example replies to a former client.',
    labels: { vm, kind: 'a fixed list of oddities' },
  },
  qmpgw_commands_total: {
    type: 'counter',
    help: 'Commands that were answered, by what became of them.',
    labels: {
      kind: '`qemu`, `storage-daemon`, `stratovirt`, `guest-agent`, or `unknown` where no VM was found',
      command:
        'commands that the VMs offer (the first 1,000 that were asked for, then `other`), or `unknown` for any other name',
      outcome: '`done`, or a code of [errors.md](errors.md)',
    },
  },
  qmpgw_work_total: {
    type: 'counter',
    help: 'Work of commands that went on after their reply, by how it ended; the reply itself is in `qmpgw_commands_total`.',
    labels: {
      kind: 'as above; `unknown` where the VM is gone',
      command: 'commands whose work goes on after the reply',
      outcome: '`done`, `failed`, `cancelled`, `lost`',
    },
  },
  qmpgw_command_queue_seconds: { type: 'histogram', help: 'Time that commands waited for their turn.', labels: {} },
  qmpgw_command_qmp_seconds: { type: 'histogram', help: 'Time from writing a command to its reply.', labels: {} },
  qmpgw_command_seconds: { type: 'histogram', help: 'Time from the arrival of a command to its answer.', labels: {} },
  qmpgw_events_total: {
    type: 'counter',
    help: 'Events by what became of them; delivered, dropped and coalesced ones count once for each subscriber.',
    labels: { what: '`in`, `delivered`, `dropped`, `coalesced`' },
  },
  qmpgw_event_subscribers: { type: 'gauge', help: 'Open event streams and subscriptions.', labels: {} },
} as const satisfies Readonly<Record<string, MetricDescription>>;

export type MetricName = keyof typeof metricTable;
