import { connect } from 'node:net';
import { echo, type FakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { exchange, type Exchange } from './http-exchange.js';

/**
 * A command that is in flight at SIGTERM, and behind it, on its connection, another.
 * @param machine answers {@link echo} only when it is told to
 * @returns the answer to the other
 */
export async function pipelinedAtShutdown(
  gateway: GatewayProcess,
  vm: string,
  machine: FakeMachine,
): Promise<Exchange> {
  const { port } = new URL(gateway.url);
  const head = (command: string) =>
    [
      `GET /v1/vms/${vm}/qmp/${command} HTTP/1.1`,
      `Host: localhost:${port}`,
      `Authorization: Bearer ${gateway.token ?? ''}`,
      '\r\n',
    ].join('\r\n');
  const client = connect(Number(port), '127.0.0.1');
  let text = '';
  client.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = new Promise((resolve) => client.once('close', resolve));
  const arrived = machine.fake.next(echo);
  client.write(head(echo));
  const command = await arrived;
  gateway.process.kill('SIGTERM');
  await refusesConnections(gateway);
  machine.takeReceived();
  client.write(head('query-status'));
  machine.fake.answer(command, { json: '{}' });
  await ended;
  const [, second = ''] = text.split(/(?=HTTP\/1\.1 )/);
  const [headers = '', body = ''] = second.split('\r\n\r\n');
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(headers)?.[1]),
    headers: { 'content-type': /content-type: (\S+)/i.exec(headers)?.[1] },
    text: body,
    json: () => JSON.parse(body) as Record<string, unknown>,
  };
}

/** Resolves once a gateway that was told to stop has seen it: it accepts no connection any more. */
export async function refusesConnections(gateway: GatewayProcess): Promise<void> {
  const accepts = () =>
    exchange(gateway, '/livez').then(
      () => true,
      () => false,
    );
  while (await accepts());
}
