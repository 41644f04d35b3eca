import type { Fault } from '@qmp-gateway/qmp';
import type { VmAgent } from './vm-agent.js';
import type { Vm } from './vm.js';

interface ShownFault {
  readonly code: string;
  readonly detail: string;
  readonly time: string;
}

interface ShownAgent {
  readonly endpoint: string;
  readonly state: string;
  readonly since: string;
  readonly lastError: ShownFault | null;
}

/** How a VM is shown but for `inFlight`, to principals from `configure` up in full, below without what shows host paths. */
export interface VmView {
  readonly full: string;
  readonly reduced: string;
}

/** The JSON of `GET /v1/vms/{vm}` without `inFlight`, which changes with every command. */
function viewOf(vm: Vm) {
  const { state } = vm;
  return {
    id: vm.id,
    state: state === 'idle' || state === 'stopped' ? 'waiting' : state,
    health: vm.health,
    runState: vm.runState,
    since: new Date(vm.since).toISOString(),
    ...(vm.retryAt === null ? {} : { retryAt: new Date(vm.retryAt).toISOString() }),
    epoch: vm.epoch,
    kind: vm.kind,
    version: vm.version,
    package: vm.package,
    name: vm.name,
    uuid: vm.uuid,
    capabilities: vm.capabilities,
    display: vm.display,
    schema: vm.schema?.hash ?? null,
    source: vm.source,
    labels: vm.labels,
    endpoint: vm.definition.endpoint,
    ...(vm.agent === null ? {} : { agent: agentView(vm.agent) }),
    lastError: faultView(vm.lastFault),
  };
}

function agentView({ endpoint, state, since, lastFault }: VmAgent): ShownAgent {
  return { endpoint, state, since: new Date(since).toISOString(), lastError: faultView(lastFault) };
}

function faultView(fault: Fault | null): ShownFault | null {
  return fault && { code: fault.code, detail: fault.detail, time: new Date(fault.time).toISOString() };
}

/** Both forms of the view as JSON text. */
export function renderView(vm: Vm): VmView {
  const view = viewOf(vm);
  const { endpoint, package: packageName, agent, lastError, ...rest } = view;
  const reduced = {
    ...rest,
    ...(agent === undefined ? {} : { agent: withoutPaths(agent) }),
    lastError: withoutDetail(lastError),
  };
  return { full: JSON.stringify(view), reduced: JSON.stringify(reduced) };
}

function withoutPaths({ endpoint, lastError, ...rest }: ShownAgent): object {
  return { ...rest, lastError: withoutDetail(lastError) };
}

function withoutDetail(fault: ShownFault | null): object | null {
  return fault && { code: fault.code, time: fault.time };
}
