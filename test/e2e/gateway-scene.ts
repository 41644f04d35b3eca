import { Scene } from '@qmp-gateway/test-kit';
import { TokenStore, type NewToken } from '../../apps/gateway/src/access/tokens/token-store.js';
import { StateDirectory } from '../../apps/gateway/src/state/state-directory.js';
import { startGateway, type GatewayOptions, type GatewayProcess } from './gateway-process.js';
import { exchange, type Exchange } from './http-exchange.js';

/** A scene that gateways take part in. */
export class GatewayScene extends Scene {
  gateway(options?: GatewayOptions): Promise<GatewayProcess> {
    return this.start(startGateway(options), (gateway) => gateway.stop());
  }
}

let registered = 0;

/** Registers a VM under an id of its own and waits until it is in this state. @returns the id */
export async function registerVm(
  gateway: GatewayProcess,
  endpoint: string,
  { state = 'ready', labels = {}, agent }: { state?: string; labels?: Record<string, string>; agent?: string } = {},
): Promise<string> {
  const id = `vm-${++registered}`;
  const answer = await exchange(gateway, `/v1/vms/${id}`, {
    method: 'PUT',
    body: JSON.stringify({ endpoint, labels, agent }),
  });
  if (answer.status !== 201) throw new Error(`registering ${endpoint}: ${answer.text}`);
  await gateway.vmBecomes(id, state);
  return id;
}

/** Makes a token beside the running gateway, as the command line does. @returns the token itself */
export function makeToken(gateway: GatewayProcess, grant: NewToken): string {
  return new TokenStore(new StateDirectory(gateway.state)).create(grant).token;
}

/** What a command is sent with. */
export interface Sent {
  /** Its arguments, as JSON text. */
  readonly args?: string | undefined;
  /** Null leaves out a header that is otherwise sent. */
  readonly headers?: Readonly<Record<string, string | null>> | undefined;
}

/** Runs a command by POST. @param sent a text means the arguments */
export function run(gateway: GatewayProcess, vm: string, command: string, sent: string | Sent = {}): Promise<Exchange> {
  const { args, headers } = typeof sent === 'string' ? { args: sent } : sent;
  return exchange(gateway, `/v1/vms/${vm}/qmp/${command}`, {
    method: 'POST',
    ...(args === undefined ? {} : { body: args }),
    ...(headers === undefined ? {} : { headers }),
  });
}

/** How many commands of a VM were accepted and have not ended. */
export async function runningOperations(gateway: GatewayProcess, vm: string): Promise<number> {
  const { operations } = (await exchange(gateway, `/v1/vms/${vm}/operations`)).json() as {
    operations: { state: string }[];
  };
  return operations.filter(({ state }) => state === 'running').length;
}

/** Waits until a VM is ready in another session than this one. @returns the new epoch */
export async function nextSession(gateway: GatewayProcess, vm: string, epoch: string): Promise<string> {
  for (;;) {
    const view = (await exchange(gateway, `/v1/vms/${vm}?wait=30s`)).json();
    if (view['state'] === 'ready' && view['epoch'] !== epoch) return String(view['epoch']);
  }
}
