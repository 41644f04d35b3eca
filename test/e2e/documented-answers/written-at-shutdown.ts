import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { GatewayProcess } from '../gateway-process.js';
import type { Exchange } from '../http-exchange.js';
import { refusesConnections } from '../pipelined-at-shutdown.js';
import { parsed } from './checked-gateway.js';
import type { Sample } from './samples.js';
import { silence, type ScriptedVm } from './scripted-servers.js';

interface Written extends Sample {
  readonly method: string;
}

/** A VM whose commands are answered when the test wants it. */
export interface HeldVm {
  readonly id: string;
  readonly scripted: ScriptedVm;
}

/**
 * Requests that arrive while the gateway stops, each behind a command that is in flight on its connection: those are
 * the connections that are open then.
 */
export async function writtenAtShutdown(
  gateway: GatewayProcess,
  machines: readonly HeldVm[],
  requests: readonly Written[],
): Promise<Exchange[]> {
  const { port } = new URL(gateway.url);
  const held: (() => void)[] = [];
  const allHeld = new Promise<void>((resolve) => {
    for (const { scripted } of machines)
      scripted.follow((command) => {
        held.push(() => scripted.monitor.answer(command, { return: {} }));
        if (held.length === requests.length) resolve();
        return silence(command);
      });
  });
  const clients = await Promise.all(
    requests.map((_, at) => {
      const vm = machines[at % machines.length]?.id ?? '';
      return opened(Number(port), textOf(gateway, { method: 'POST', path: `/v1/vms/${vm}/qmp/stop` }));
    }),
  );
  await allHeld;
  gateway.process.kill('SIGTERM');
  await refusesConnections(gateway);
  const answers = requests.map((each, at) => secondAnswer(clients[at], textOf(gateway, each)));
  for (const answer of held) answer();
  return Promise.all(answers);
}

function textOf({ url, token = '' }: GatewayProcess, { method, path, headers, body = '' }: Written): string {
  return [
    `${method} ${path} HTTP/1.1`,
    `Host: ${new URL(url).host}`,
    `Authorization: Bearer ${token}`,
    ...Object.entries({ 'Content-Type': 'application/json', ...headers }).map((pair) => pair.join(': ')),
    `Content-Length: ${Buffer.byteLength(body)}`,
    `\r\n${body}`,
  ].join('\r\n');
}

async function opened(port: number, text: string): Promise<Socket> {
  const client = connect(port, '127.0.0.1');
  client.on('error', () => undefined);
  await once(client, 'connect');
  client.write(text);
  return client;
}

async function secondAnswer(client: Socket | undefined, next: string): Promise<Exchange> {
  if (client === undefined) throw new Error('a request without a connection');
  let text = '';
  client.on('data', (chunk: Buffer) => (text += chunk.toString()));
  client.write(next);
  if (!client.closed) await once(client, 'close');
  return parsed(text.split(/(?=HTTP\/1\.1 )/)[1] ?? '');
}
