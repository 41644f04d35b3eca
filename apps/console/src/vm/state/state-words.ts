import type { Vm } from '@qmp-gateway/client';

/** How a state is shown: a status of the component library. */
export type Status = 'success' | 'info' | 'warning' | 'danger' | 'custom';

export interface StateWords {
  readonly status: Status;
  /** One or two words. */
  readonly word: string;
  /** What it means, for the tooltip. */
  readonly meaning: string;
}

/** What the gateway's session with a VM is like. */
export function connectionWords({ state, lastError }: Pick<Vm, 'state' | 'lastError'>): StateWords {
  const [status, word, meaning] = ofConnection[state];
  const why = lastError === null ? '' : ` Last error: ${lastError.detail ?? lastError.code}.`;
  return { status, word, meaning: meaning + (state === 'ready' ? '' : why) };
}

const ofConnection: Readonly<Record<Vm['state'], readonly [Status, string, string]>> = {
  ready: ['success', 'Ready', 'The gateway is connected to its monitor.'],
  connecting: ['info', 'Connecting', 'The gateway is dialling its monitor.'],
  negotiating: ['info', 'Negotiating', 'The monitor answered; the session is being set up.'],
  waiting: ['warning', 'Not connected', 'The gateway cannot reach its monitor, and tries again.'],
  busy: ['warning', 'Monitor busy', 'Another client holds the monitor.'],
  closed: ['custom', 'Shut down', 'It shut down; the gateway connects when it is there again.'],
  unreachable: ['danger', 'Node unreachable', 'Its node of the fleet is not heard; what is shown is old.'],
};

/** Whether it answers. Undefined where nobody knows: it is not connected. */
export function healthWords({ health }: Pick<Vm, 'health'>): StateWords | undefined {
  if (health === null) return undefined;
  const [status, word, meaning] = ofHealth[health];
  return { status, word, meaning };
}

const ofHealth: Readonly<Record<NonNullable<Vm['health']>, readonly [Status, string, string]>> = {
  ok: ['success', 'Healthy', 'It answers in time.'],
  slow: ['warning', 'Slow', 'A command waits over 5 s; the monitor itself still answers.'],
  unresponsive: ['danger', 'Hangs', 'Its monitor does not answer.'],
};

/** What the guest does. Undefined where nobody knows: it is not connected. */
export function runStateWords({ runState }: Pick<Vm, 'runState'>): StateWords | undefined {
  if (runState === null) return undefined;
  const known = Object.hasOwn(ofRunState, runState) ? ofRunState[runState] : undefined;
  if (known === undefined) return { status: 'info', word: runState, meaning: `Run state ${runState}.` };
  const [status, word, meaning] = known;
  return { status, word, meaning };
}

const ofRunState: Readonly<Record<string, readonly [Status, string, string]>> = {
  running: ['success', 'Running', 'Its CPUs run.'],
  paused: ['warning', 'Paused', 'Its CPUs are stopped; Resume lets them run on.'],
  suspended: ['info', 'Suspended', 'The guest sleeps (ACPI S3).'],
  prelaunch: ['info', 'Not started', 'It was started paused; Resume lets it begin.'],
  shutdown: ['custom', 'Shut down', 'The guest has shut down; the VM is kept.'],
  inmigrate: ['info', 'Migrating in', 'It waits for the memory of another host.'],
  'finish-migrate': ['info', 'Migrating out', 'Its last memory goes to another host.'],
  postmigrate: ['custom', 'Migrated', 'It runs on another host now.'],
  'save-vm': ['info', 'Saving', 'Its memory is being saved.'],
  'restore-vm': ['info', 'Restoring', 'Its memory is being read.'],
  'guest-panicked': ['danger', 'Guest panicked', 'The system in the guest gave up; its screen may say why.'],
  'internal-error': ['danger', 'Internal error', 'The hypervisor could not run it further.'],
  'io-error': ['danger', 'Disk error', 'A disk failed or is full; Resume tries again.'],
  watchdog: ['danger', 'Watchdog', 'The watchdog stopped it: the guest did not answer in time.'],
  debug: ['warning', 'Debugger', 'A debugger holds it.'],
  colo: ['info', 'COLO', 'It waits for its other half (COLO).'],
};

/** The one word that says most about a VM: what is wrong first, then what the guest does. */
export function headline(vm: Pick<Vm, 'state' | 'health' | 'runState' | 'lastError'>): StateWords {
  const health = healthWords(vm);
  if (vm.state !== 'ready') return connectionWords(vm);
  if (health !== undefined && vm.health !== 'ok') return health;
  return runStateWords(vm) ?? connectionWords(vm);
}
