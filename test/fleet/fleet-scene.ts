import { NatsServers, type FakeMonitor } from '@qmp-gateway/test-kit';
import { change, echo, fakeMachine, type FakeMachine } from '../e2e/fake-machine.js';
import type { GatewayProcess } from '../e2e/gateway-process.js';
import { GatewayScene } from '../e2e/gateway-scene.js';
import { exchange, type Exchange } from '../e2e/http-exchange.js';

const joinDeadlineMs = 20_000;
const lookMs = 50;

/** What a node of a {@link FleetScene} is started with. */
export interface NodeOptions {
  /** Members of `fleet` in its settings. */
  readonly fleet?: object;
  /** Its other settings. */
  readonly settings?: object;
  readonly args?: readonly string[];
  readonly state?: string;
  /** Of NATS; default those of the scene. */
  readonly servers?: readonly string[];
}

/** Gateways of one fleet, as processes, with short times, over real NATS. */
export class FleetScene extends GatewayScene {
  #nats: NatsServers | undefined;

  get nats(): NatsServers {
    if (this.#nats === undefined) throw new Error('the scene has no NATS yet');
    return this.#nats;
  }

  async startNats(servers = 1): Promise<NatsServers> {
    return (this.#nats = await this.start(NatsServers.start({ servers }), (started) => started.stop()));
  }

  /** A gateway of the fleet that has joined. */
  async node(name: string, options: NodeOptions = {}): Promise<GatewayProcess> {
    const { fleet = {}, settings = {}, args, state, servers = this.nats.urls } = options;
    const times = { heartbeat: '300ms', unreachableAfter: '1500ms' };
    const commandClasses = { [echo]: 'read', [change]: 'operate' };
    const gateway = await this.gateway({
      settings: { commandClasses, fleet: { name: 'prod', node: name, servers, ...times, ...fleet }, ...settings },
      ...(args === undefined ? {} : { args }),
      ...(state === undefined ? {} : { state }),
    });
    await until(`${name} has joined`, async () => (await exchange(gateway, '/readyz?fleet=1')).status === 200);
    return gateway;
  }

  /** A fake machine that this gateway serves, known at the others. */
  async vm(
    id: string,
    owner: GatewayProcess,
    others: readonly GatewayProcess[],
    more: object = {},
  ): Promise<FakeMachine> {
    const machine = await fakeMachine(this);
    tellsOfStops(machine.fake);
    await registerAt(owner, id, { endpoint: machine.endpoint, ...more });
    for (const other of others) await isReadyAt(other, id);
    return machine;
  }
}

/** It says STOP and RESUME when it is told to. */
function tellsOfStops(fake: FakeMonitor): void {
  for (const [command, event] of [
    ['stop', 'STOP'],
    ['cont', 'RESUME'],
  ] as const)
    fake.on(command, ({ connection }) => {
      connection.event(event);
      return { return: {} };
    });
}

/** Registers a VM under this id, and waits until it is ready. */
export async function registerAt(owner: GatewayProcess, id: string, registration: object): Promise<void> {
  const body = JSON.stringify(registration);
  const answer = await exchange(owner, `/v1/vms/${id}`, { method: 'PUT', body });
  if (answer.status !== 201) throw new Error(`registering ${id}: ${answer.text}`);
  await isReadyAt(owner, id);
}

/** Waits until a list shows the VM in this state, and its node can be asked. */
export async function isReadyAt(gateway: GatewayProcess, id: string, state = 'ready'): Promise<void> {
  await until(`${id} is ${state}`, async () => (await rowOf(gateway, id))?.['state'] === state);
  if (state !== 'ready') return;
  await until(`${id} can be asked`, async () => (await exchange(gateway, `/v1/vms/${id}?wait=1ms`)).status === 200);
}

/** The row of a VM in the list of a gateway. */
export async function rowOf(gateway: GatewayProcess, id: string): Promise<Record<string, unknown> | undefined> {
  const list = await exchange(gateway, `/v1/vms?vm=${id}`);
  const { vms = [] } = list.json() as { vms?: Record<string, unknown>[] };
  return vms.find((row) => row['id'] === id);
}

/** Looks until it is so. @throws Error when it is not within `deadlineMs` */
export async function until(what: string, look: () => Promise<boolean>, deadlineMs = joinDeadlineMs): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await look())) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await pause(lookMs);
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** The status and the code of a refusal, and what it says of the outcome. */
export function refusalOf(answer: Exchange): readonly unknown[] {
  const { code, outcome } = answer.json();
  return [answer.status, code, outcome];
}
