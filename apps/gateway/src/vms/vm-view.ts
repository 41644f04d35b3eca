import type { LastError } from '@qmp-gateway/qmp';
import type { VmAgent } from './vm-agent.js';
import type { Vm } from './vm.js';

interface ShownError {
  readonly code: string;
  readonly detail: string;
  readonly time: string;
}

interface ShownAgent {
  readonly endpoint: string;
  readonly state: string;
  readonly since: string;
  readonly lastError: ShownError | null;
}

/** How a VM is shown but for `inFlight`, to principals from `configure` up in full, below without what shows host paths. */
export interface VmView {
  readonly full: string;
  readonly reduced: string;
}

/** The JSON of `GET /v1/vms/{vm}` without `inFlight`, which changes with every command. */
function fullView(vm: Vm, node: string | undefined) {
  const { state } = vm;
  return {
    id: vm.id,
    ...(vm.lease === undefined ? {} : { lease: vm.lease }),
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
    lastError: lastErrorView(vm.lastError),
    ...(node === undefined ? {} : { node }),
  };
}

function agentView({ endpoint, state, since, lastError }: VmAgent): ShownAgent {
  return { endpoint, state, since: new Date(since).toISOString(), lastError: lastErrorView(lastError) };
}

function lastErrorView(lastError: LastError | null): ShownError | null {
  return lastError && { code: lastError.code, detail: lastError.detail, time: new Date(lastError.time).toISOString() };
}

/** Both forms of the view as JSON text. @param node name of this node in its fleet; undefined without one */
export function renderView(vm: Vm, node?: string): VmView {
  const view = fullView(vm, node);
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

function withoutDetail(lastError: ShownError | null): object | null {
  return lastError && { code: lastError.code, time: lastError.time };
}
