// Pauses a VM and resumes it. With the client package, which keeps 64-bit integers and resumes event streams.
import { GatewayClient, GatewayProblem } from '@qmp-gateway/client';

const { GATEWAY_URL: url = 'http://127.0.0.1:8080', GATEWAY_TOKEN: token = '' } = process.env;
const [id = 'web-1'] = process.argv.slice(2);
const client = new GatewayClient({ url, token });
const vm = client.vm(id);

for (const row of (await client.vms()).vms) console.log(row.id, row.state, row.runState);

try {
  // The same key makes a repetition after a lost answer safe: it gets the first answer and runs nothing.
  const key = `pause-${Date.now()}`;
  const { cursor } = await vm.executeInFull('stop', {}, { idempotencyKey: key });
  const again = await vm.executeInFull('stop', {}, { idempotencyKey: key });
  console.log('paused; the repetition ran nothing:', again.replayed);
  await vm.execute('cont');
  for await (const { event } of client.events({ vm: id, event: ['RESUME', 'gap'], after: cursor })) {
    console.log('event', event);
    break;
  }
} catch (error) {
  if (!(error instanceof GatewayProblem)) throw error;
  // `outcome` says what became of the command: not-sent, refused or unknown.
  console.error(error.code, error.outcome);
  process.exitCode = 1;
}
