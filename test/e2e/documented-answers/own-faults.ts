import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Exchange } from '../http-exchange.js';
import type { Change, CheckedGateway } from './checked-gateway.js';

const preload = fileURLToPath(new URL('failing-handlers.mjs', import.meta.url));
const sockets = ['openWebSocket', 'openMonitor', 'openRfb', 'openSerial'];
/** Those of the command lane, which the audit log has. */
const ofLane = ['fanOut', 'runQmpMessage', 'runAgentMessage'];

/** The environment of a gateway whose handlers fail when a request asks for it. */
export const failingHandlers = { NODE_OPTIONS: `--import=${preload}` };

const marked = (requestId: string): Change => ({ headers: { 'X-Request-Id': requestId } });

/**
 * Every handler fails. Whoever asked is told so and no more, and the gateway goes on; its log has each fault under the id of
 * the request, the audit log the commands.
 * @param failing made with {@link failingHandlers}; it ends
 */
export async function ownFaults(failing: CheckedGateway): Promise<void> {
  const { check } = failing;
  const asked: string[] = [];
  const fails = async (id: string, send: (change: Change) => Promise<Exchange>): Promise<void> => {
    const requestId = `fails-${id}-${asked.length}`;
    asked.push(requestId);
    const { status, text } = await send(marked(requestId));
    if (status !== 500 || /secret|Error:|\.js/.test(text)) check.faults.add(`${id} fails with ${status}: ${text}`);
  };
  for (const { id, statuses } of check.operations) {
    if (!statuses.includes(500)) continue;
    await fails(id, (change) => failing.ask(id, change));
    if (sockets.includes(id)) await fails(id, (change) => failing.upgrade(id, change));
  }
  // An answer that has begun can only be broken off.
  asked.push('breaks-1');
  const whole = await failing.ask('execInGuest', marked('breaks-1')).catch(() => undefined);
  if (whole !== undefined) check.faults.add(`execInGuest failed as if it were whole: ${whole.text}`);
  await failing.askFor(200, 'getLiveness');
  await writtenDown(failing, asked);
}

async function writtenDown({ check, gateway }: CheckedGateway, asked: readonly string[]): Promise<void> {
  gateway.process.kill('SIGTERM');
  const status = await gateway.ended;
  if (status !== 0) check.faults.add(`the gateway ended with ${String(status)}: ${gateway.stderr()}`);
  const faults = gateway
    .log()
    .filter(({ err }) => (err as { message?: string } | undefined)?.message?.includes('secret'));
  const audited = readFileSync(path.join(gateway.state, 'audit.log'), 'utf8').split('\n');
  for (const requestId of asked) {
    const lines = faults.filter(({ request }) => request === requestId);
    if (lines.length !== 1) check.faults.add(`${requestId}: ${lines.length} lines of the log`);
    if (!ofLane.some((id) => requestId.startsWith(`fails-${id}-`))) continue;
    const ends = audited.filter((line) => line.includes(`"${requestId}"`) && line.endsWith('"fault":"internal"}'));
    if (ends.length !== 1) check.faults.add(`${requestId}: ${ends.length} lines of the audit log`);
  }
}
