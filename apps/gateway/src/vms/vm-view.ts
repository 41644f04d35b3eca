import type { Fault } from '@qmp-gateway/qmp';
import type { Vm } from './vm.js';

/** How a VM is shown but for `inFlight`, to principals from `configure` up in full, below without what shows host paths. */
export interface VmView {
  readonly full: string;
  readonly reduced: string;
}

/** The JSON of `GET /v1/vms/{vm}` without `inFlight`, which changes with every command. */
export function viewOf(vm: Vm): Record<string, unknown> {
  const { state } = vm.monitor;
  return {
    id: vm.id,
    state: state.name === 'idle' || state.name === 'stopped' ? 'waiting' : state.name,
    health: vm.health,
    runState: vm.runState,
    since: new Date(state.since).toISOString(),
    ...('retryAt' in state && state.retryAt !== null ? { retryAt: new Date(state.retryAt).toISOString() } : {}),
    epoch: vm.epoch,
    kind: vm.kind,
    version: vm.version,
    package: vm.package,
    name: vm.name,
    uuid: vm.uuid,
    capabilities: vm.capabilities,
    schema: vm.schema?.hash ?? null,
    source: vm.source,
    labels: vm.labels,
    endpoint: vm.definition.endpoint,
    ...(vm.agentState === null ? {} : { agent: vm.agentState }),
    lastError: vm.monitor.lastFault === null ? null : faultView(vm.monitor.lastFault),
  };
}

function faultView(fault: Fault): Record<string, unknown> {
  return { code: fault.code, detail: fault.detail, time: new Date(fault.time).toISOString() };
}

/** Both forms of the view as JSON text. */
export function renderView(vm: Vm): VmView {
  const view = viewOf(vm);
  const full = JSON.stringify(view);
  const { endpoint, package: packageName, lastError, ...rest } = view;
  const reducedError = lastError === null ? null : withoutDetail(lastError as Record<string, unknown>);
  return { full, reduced: JSON.stringify({ ...rest, lastError: reducedError }) };
}

function withoutDetail(error: Record<string, unknown>): Record<string, unknown> {
  return { code: error['code'], time: error['time'] };
}
