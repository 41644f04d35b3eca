import { startForwarder, startInstantMonitor } from './instant-servers.js';
import { startGateway } from './processes.js';
import { sideBySide, type Way } from './side-by-side.js';
import { byHttp, byJsonRpc, restRequest } from './ways.js';

const connections = 32;

/** One small query over and over: the gateway with everything on, beside the bare forwarder, in turns. */
export async function benchForwarding(): Promise<void> {
  await sideBySide(
    { names: 'GET query-status', many: `${connections} connections`, yardstick: 'the forwarder' },
    start,
  );
}

async function start(): Promise<Way[]> {
  const socket = await startInstantMonitor();
  const gateway = await startGateway({ bench: socket });
  const request = restRequest('GET', gateway.token);
  const { pid, port, unixListener } = gateway;
  return [
    byHttp('bare node:http forwarder', await startForwarder(socket), request, connections),
    byHttp('the same with a window of 8, as QEMU has', await startForwarder(socket, '8'), request, connections),
    byHttp('gateway REST', { pid, address: port }, request, connections),
    byHttp('gateway REST, unix listener', { pid, address: unixListener }, request, connections),
    byJsonRpc(gateway, 64),
  ];
}
