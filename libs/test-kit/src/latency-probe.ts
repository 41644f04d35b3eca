/**
 * A separate process that sends a VM the same query through the gateway and through a socket of QEMU's, in turns, until
 * its standard input ends; then it prints the milliseconds of each as JSON. In the test's own process the answers would
 * wait for the test's other work, and that time would count as the gateway's.
 *
 * Arguments: URL of the command, token, path of the QMP socket, milliseconds between two rounds, URL to request in each
 * round (`/livez`; none if absent).
 */
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { RawQmpClient } from './raw-qmp-client.js';

/** The output of the probe. */
export interface ProbedLatency {
  readonly gateway: number[];
  readonly direct: number[];
  /** Empty without such a URL. */
  readonly looks: number[];
}

const [url = '', token = '', socket = '', pauseMs = '10', look = ''] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true });

/** @throws if the answer is not 200 */
async function ask(method: string, address: string): Promise<void> {
  const answer = await new Promise<string>((resolve, reject) => {
    const sent = request(address, { method, agent, headers: { Authorization: `Bearer ${token}` } }, (response) => {
      text(response).then((body) => resolve(`${response.statusCode ?? 0} ${body}`), reject);
    });
    sent.on('error', reject).end();
  });
  if (!answer.startsWith('200 ')) throw new Error(answer);
}

const direct = await RawQmpClient.connect(socket);
await direct.negotiate();
const latency: ProbedLatency = { gateway: [], direct: [], looks: [] };
process.stdin.resume();
while (!process.stdin.readableEnded) {
  const sent = performance.now();
  await ask('POST', url);
  const answered = performance.now();
  await direct.command('{"execute":"query-status"}');
  latency.gateway.push(answered - sent);
  const told = performance.now();
  latency.direct.push(told - answered);
  if (look !== '') {
    await ask('GET', look);
    latency.looks.push(performance.now() - told);
  }
  await sleep(Number(pauseMs));
}
process.stdout.write(JSON.stringify(latency));
direct.close();
agent.destroy();
