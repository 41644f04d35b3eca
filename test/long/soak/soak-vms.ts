import { FaultProxy, launchQemu, type Qemu } from '@qmp-gateway/test-kit';
import type { AgentScene } from '../../e2e/agent-scene.js';
import { fakeMachine, type FakeMachine } from '../../e2e/fake-machine.js';
import { registerVm } from '../../e2e/gateway-scene.js';
import type { GatewayProcess } from '../../e2e/gateway-process.js';
import type { SoakVms } from './soak-clients.js';
import type { Workload } from './workload.js';

/** Past the handshake of a fake machine, so that what is spoiled is a session. */
const pastHandshake = 20_000;

/** Real and fake VMs, some behind proxies; what they do by themselves are loops of the workload. */
export async function startVms(
  scene: AgentScene,
  gateway: GatewayProcess,
  load: Workload,
  random: (bound: number) => number,
): Promise<SoakVms & { readonly release: () => void }> {
  const machines: FakeMachine[] = [];
  const machine = async () => {
    const made = await fakeMachine(scene);
    machines.push(made);
    return made;
  };
  const fakes = [await machine(), await machine(), await machine(), await machine()];
  const qemus = [await scene.qemu({ machine: 'q35' }), await scene.qemu()];
  const [chunked, cut, stalled, garbled] = [
    await proxyOf(scene, await machine()),
    await proxyOf(scene, await machine()),
    await proxyOf(scene, await machine()),
    await proxyOf(scene, await machine()),
  ];
  chunked.toClient.chunk = 7;
  const register = (endpoint: string) => registerVm(gateway, endpoint);
  const [vmDirectory, agentDirectory] = [scene.directory(), scene.directory()];
  const killed = await Mortal.start(scene, () => launchQemu({ directory: vmDirectory }));
  const agent = await Mortal.start(scene, () => scene.guestAgent(agentDirectory));
  const withAgent = await scene.qemu();
  const vms = {
    fakes: [...(await Promise.all(fakes.map(({ endpoint }) => register(endpoint)))), await register(pathOf(chunked))],
    qemus: await Promise.all(qemus.map(({ socket }) => register(`unix:${socket}`))),
    faulty: await Promise.all([cut, stalled, garbled].map((proxy) => register(pathOf(proxy)))),
    killed: await register(`unix:${killed.process.socket}`),
    withAgent: await registerVm(gateway, `unix:${withAgent.socket}`, { agent: `unix:${agent.process.socket}` }),
    passingEndpoint: (await machine()).endpoint,
  };

  trouble(load, { gateway, machines, killed, agent, proxies: { cut, stalled, garbled } }, random);
  return {
    ...vms,
    /** Nothing is held back any more; for the end, when every command is to have one. */
    release: () => {
      stalled.toClient.stalled = false;
      stalled.cut();
    },
  };
}

/** Those that the loops of the workload disturb. */
interface Troubled {
  readonly gateway: GatewayProcess;
  readonly machines: readonly FakeMachine[];
  readonly killed: Mortal;
  readonly agent: Mortal;
  readonly proxies: Readonly<Record<'cut' | 'stalled' | 'garbled', FaultProxy>>;
}

/** Events, ends, losses and noise: what happens to the VMs without anybody asking. */
function trouble(
  load: Workload,
  { gateway, machines, killed, agent, proxies: { cut, stalled, garbled } }: Troubled,
  random: (bound: number) => number,
): void {
  load.loop('events', 50, (count) => {
    for (const { fake } of machines) fake.emit(count % 2 === 0 ? 'STOP' : 'RESUME');
    if (count % 100 === 0)
      for (let flood = 0; flood < 2000; flood++) machines[0]?.fake.emit('RTC_CHANGE', { offset: flood });
    // What they remember is not what is measured, but neither should it grow.
    for (const one of machines) one.takeReceived();
    return Promise.resolve();
  });
  load.loop('kill', 5000, () => killed.again());
  load.loop('kill-agent', 9000, () => agent.again());
  // Everything is read again, and nothing has changed.
  load.loop('reload', 7000, () => {
    gateway.process.kill('SIGHUP');
    return Promise.resolve();
  });
  load.loop('cut', 3000, () => {
    cut.cut();
    return Promise.resolve();
  });
  load.loop('stall', 2000, (count) => {
    stalled.toClient.stalled = count % 2 === 0;
    // What was held back would come with the next bytes only.
    if (count % 2 === 1) stalled.cut();
    return Promise.resolve();
  });
  load.loop('garble', 4000, () => {
    garbled.toClient.corruptAt = pastHandshake + random(pastHandshake);
    garbled.cut();
    return Promise.resolve();
  });
}

/** A process that is killed and started again in the same place. */
class Mortal {
  private constructor(
    public process: Qemu,
    private readonly launch: () => Promise<Qemu>,
  ) {}

  static async start(scene: AgentScene, launch: () => Promise<Qemu>): Promise<Mortal> {
    return scene.keep(new Mortal(await launch(), launch), (mortal) => mortal.process.stop());
  }

  async again(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.process.ended;
    this.process = await this.launch();
  }
}

async function proxyOf(scene: AgentScene, { endpoint }: FakeMachine): Promise<FaultProxy> {
  return scene.keep(await FaultProxy.start(endpoint.slice('unix:'.length)), (proxy) => proxy.stop());
}

const pathOf = ({ endpoint }: FaultProxy): string => `unix:${endpoint.path}`;
