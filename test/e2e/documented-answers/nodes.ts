import type { GatewayProcess } from '../gateway-process.js';
import { exchange } from '../http-exchange.js';
import type { CheckedGateway } from './checked-gateway.js';

interface NodeRow {
  readonly node: string;
  readonly state: string;
}

const lookMs = 50;

/** Of a fleet whose other node is there, then gone, then forgotten. @param other is called `far` */
export async function ofNodes(checked: CheckedGateway, other: GatewayProcess): Promise<void> {
  await farIs(checked, 'reachable');
  await checked.askFor(200, 'listNodes');
  const path = '/v1/nodes/far';
  await checked.askFor(409, 'deleteNode', { path });
  other.process.kill('SIGKILL');
  await other.ended;
  await farIs(checked, 'unreachable');
  await checked.askFor(200, 'listNodes');
  await checked.askFor(204, 'deleteNode', { path });
  await checked.askFor(404, 'deleteNode', { path: '/v1/nodes/none' });
}

async function farIs({ gateway }: CheckedGateway, wanted: string): Promise<void> {
  for (;;) {
    const { nodes } = (await exchange(gateway, '/v1/nodes')).json() as { nodes: NodeRow[] };
    if (nodes.some(({ node, state }) => node === 'far' && state === wanted)) return;
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}
