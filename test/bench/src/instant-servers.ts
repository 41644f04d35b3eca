import type { Address } from './closed-loop.js';
import { benchIntrospection, benchStatus, vncServersAt } from './introspection.js';
import { startScript } from './processes.js';

/** A process that answers by HTTP. */
export interface Server {
  readonly pid: number;
  readonly address: Address;
}

/**
 * Starts the instant monitor and resolves with the path of its socket, which any number of clients may share.
 * @param vncSocket its display
 */
export async function startInstantMonitor({ vncSocket }: { readonly vncSocket?: string } = {}): Promise<string> {
  const input = JSON.stringify({
    ...{ 'query-qmp-schema': benchIntrospection, 'query-status': benchStatus },
    ...(vncSocket === undefined ? {} : { 'query-vnc-servers': vncServersAt(vncSocket) }),
  });
  return (await startScript('./instant-monitor-process.js', [], { input })).line;
}

/** Starts the yardstick. */
export async function startForwarder(socketPath: string, ...window: string[]): Promise<Server> {
  const { process, line } = await startScript('./bare-forwarder.js', [socketPath, 'query-status', ...window]);
  return { pid: process.pid ?? 0, address: Number(line) };
}
