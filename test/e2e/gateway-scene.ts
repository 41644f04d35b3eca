import { Scene } from '@qmp-gateway/test-kit';
import { startGateway, type GatewayOptions, type GatewayProcess } from './gateway-process.js';
import { exchange, type Exchange } from './http-exchange.js';

/** A scene that gateways take part in. */
export class GatewayScene extends Scene {
  async gateway(options?: GatewayOptions): Promise<GatewayProcess> {
    return this.keep(await startGateway(options), (gateway) => gateway.stop());
  }
}

let registered = 0;

/** Registers a VM under an id of its own and waits until it is in this state. @returns the id */
export async function registerVm(
  gateway: GatewayProcess,
  endpoint: string,
  { state = 'ready', labels = {} }: { state?: string; labels?: Record<string, string> } = {},
): Promise<string> {
  const id = `vm-${++registered}`;
  const answer = await exchange(gateway, `/v1/vms/${id}`, { method: 'PUT', body: JSON.stringify({ endpoint, labels }) });
  if (answer.status !== 201) throw new Error(`registering ${endpoint}: ${answer.text}`);
  await gateway.vmBecomes(id, state);
  return id;
}

/** Makes a token by the API. @returns the token itself */
export async function makeToken(gateway: GatewayProcess, level: string, vms: readonly string[] = ['*']): Promise<string> {
  const answer = await exchange(gateway, '/v1/tokens', { body: JSON.stringify({ name: level, level, vms }) });
  if (answer.status !== 201) throw new Error(`making a token: ${answer.text}`);
  return String(answer.json()['token']);
}

/** Runs a command by POST with these arguments, given as JSON text. */
export function run(
  gateway: GatewayProcess,
  vm: string,
  command: string,
  args?: string,
  headers?: Readonly<Record<string, string | null>>,
): Promise<Exchange> {
  return exchange(gateway, `/v1/vms/${vm}/qmp/${command}`, {
    method: 'POST',
    ...(args === undefined ? {} : { body: args }),
    ...(headers === undefined ? {} : { headers }),
  });
}
