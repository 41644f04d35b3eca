import type { GatewayClient, GatewayEvent, Vm } from '@qmp-gateway/client';
import type { CommandContext } from '../command-context.js';
import type { ConnectionFlags } from '../connection.js';
import { CliFault, exitStatus, usageFault, type ExitStatus } from '../exit-status.js';
import type { Format } from '../output/format-names.js';
import { readFormat, writeDocument, writeOne } from '../output/formats.js';
import { compactJson } from '../output/json-text.js';
import { oneLine } from '../output/terminal-text.js';
import { eventText } from './event-text.js';
import { endText, followOperation, statusOfOperation } from './follow-operation.js';

export interface WaitForFlags extends ConnectionFlags {
  readonly for: string;
  readonly after?: string;
  readonly timeout?: string;
  readonly output: string;
}

/** What every wait works with. */
interface Waiting {
  readonly context: CommandContext;
  readonly client: GatewayClient;
  readonly vm: string;
  readonly signal: AbortSignal;
  readonly format: Format;
}

const states: ReadonlySet<string> = new Set([
  ...['connecting', 'negotiating', 'ready', 'waiting', 'busy', 'closed', 'unreachable'],
]);
const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, '': 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `wait`: for an event, a state, or the end of an operation. */
export async function waitFor(context: CommandContext, vm: string, flags: WaitForFlags): Promise<ExitStatus> {
  const format = readFormat(flags.output);
  const wanted = flags.for;
  const limit = flags.timeout === undefined ? undefined : AbortSignal.timeout(readSpan(flags.timeout));
  const client = await context.connect(flags);
  const { interruption } = context;
  const signal = limit === undefined ? interruption : AbortSignal.any([interruption, limit]);
  const waiting: Waiting = { context, client, vm, signal, format };
  try {
    const [, kind, value = ''] = /^(state|operation)=(.+)$/s.exec(wanted) ?? [];
    if (kind === 'operation') return await untilOperation(waiting, value);
    if (kind === 'state') return await untilState(waiting, value);
    if (!/^[A-Za-z0-9_.*?[\],:-]+$/.test(wanted))
      throw usageFault(`--for ${wanted} is nothing to wait for`, 'it is an EVENT, state=STATE or operation=ID');
    return await untilEvent(waiting, wanted, flags.after);
  } catch (error) {
    if (!signal.aborted) throw error;
    throw givenUp(context, vm, wanted, interruption.aborted ? undefined : flags.timeout);
  }
}

function givenUp(context: CommandContext, vm: string, wanted: string, timeout: string | undefined): CliFault {
  const why = timeout === undefined ? 'no longer waiting' : `not within ${timeout}`;
  const look = wanted.startsWith('operation=')
    ? `operations ${vm} ${wanted.slice('operation='.length)}`
    : wanted.startsWith('state=')
      ? `vm ${vm}`
      : `events ${vm} --event ${wanted}`;
  return new CliFault(
    exitStatus.unknown,
    `${vm}: ${why} for ${wanted}; nothing was stopped`,
    `look: ${context.program} ${look}`,
  );
}

function readSpan(text: string): number {
  const [, digits, unit = ''] = /^(\d+)(ms|s|m|h|d)?$/.exec(text) ?? [];
  if (digits === undefined) throw usageFault(`--timeout ${text} is no duration`, 'it is seconds, or 500ms, 5s, 10m');
  return Number(digits) * (units[unit] ?? 0);
}

async function untilOperation({ context, client, vm, signal, format }: Waiting, id: string): Promise<ExitStatus> {
  const operation = await followOperation(context, client.vm(vm), id, signal);
  if (operation === undefined) throw new Error('the wait was given up');
  const status = statusOfOperation(operation);
  if (status !== exitStatus.done) throw new CliFault(status, endText(operation));
  if (format === 'table') context.output.line(oneLine(endText(operation)));
  else await writeOne(context.output, format, operation, { name: operation.id, details: [] });
  return exitStatus.done;
}

async function untilState({ context, client, vm: id, signal, format }: Waiting, value: string): Promise<ExitStatus> {
  const isThere = ({ state, runState }: Vm): boolean => (states.has(value) ? state === value : runState === value);
  const reached = (vm: Vm): Promise<void> | void =>
    format === 'table'
      ? context.output.line(oneLine(`${vm.id}: ${vm.state}${vm.runState === null ? '' : `, ${vm.runState}`}`))
      : writeOne(context.output, format, vm, { name: vm.id, details: [] });
  // The position comes with the row, so that no change falls between.
  const { vms, cursor } = await client.vms({ vm: id, signal });
  // One that is not there is told with the nearest ids.
  const first = vms.find((row) => row.id === id) ?? (await client.vm(id).get({ signal }));
  if (isThere(first)) {
    await reached(first);
    return exitStatus.done;
  }
  for await (const event of client.events({ vm: id, event: ['vm-changed', 'vm-removed'], after: cursor, signal })) {
    if (event.event === 'vm-removed') throw new CliFault(exitStatus.notSent, `${id} was removed`);
    if (event.event === 'gap') {
      const now = await client.vm(id).get({ signal });
      if (isThere(now)) return reachedNow(reached, now);
    }
    if (event.event === 'vm-changed' && isThere(event.data)) return reachedNow(reached, event.data);
  }
  return exitStatus.unknown;
}

async function reachedNow(reached: (vm: Vm) => Promise<void> | void, vm: Vm): Promise<ExitStatus> {
  await reached(vm);
  return exitStatus.done;
}

async function untilEvent(
  { context, client, vm, signal, format }: Waiting,
  name: string,
  after: string | undefined,
): Promise<ExitStatus> {
  // A VM that is not there would be waited for in vain.
  if (!/[*?[\],]/.test(vm)) await client.vm(vm).get({ signal });
  for await (const event of client.events({ vm: vm.split(','), event: name.split(','), after, signal })) {
    if (event.event === 'gap') {
      context.output.note(`${context.program}: events were missed; what is waited for may be among them`);
      continue;
    }
    await writeEvent(context, format, event);
    return exitStatus.done;
  }
  return exitStatus.unknown;
}

async function writeEvent({ output }: CommandContext, format: Format, event: GatewayEvent): Promise<void> {
  if (format === 'table') output.line(eventText(event, output.style, event.vm?.length ?? 1));
  else if (format === 'name') output.line(oneLine(event.event));
  else if (format === 'jsonl') output.line(compactJson(event));
  else await writeDocument(output, format, event);
}
