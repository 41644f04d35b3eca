import type { CommandOperation, OperationState } from '@qmp-gateway/client';
import type { CommandContext } from '../command-context.js';
import type { ConnectionFlags } from '../connection.js';
import { exitStatus, usageFault, type ExitStatus } from '../exit-status.js';
import { readFormat, writeOne, writeRows } from '../output/formats.js';
import { compactJson } from '../output/json-text.js';
import { statusOfOperation } from './follow-operation.js';
import { operationRows, progressText } from './operation-rows.js';
import { meansSeveral, readLabels, readVms } from './vm-selection.js';

export interface ShowOperationsFlags extends ConnectionFlags {
  readonly state?: string;
  readonly label?: readonly string[];
  readonly limit?: string;
  readonly cancel?: boolean;
  readonly output: string;
}

const states: readonly OperationState[] = ['running', 'ready', 'done', 'failed', 'cancelled', 'lost'];

/** `operations`: a list, one of them, or its cancelling. */
export async function showOperations(
  context: CommandContext,
  vms: string | undefined,
  id: string | undefined,
  flags: ShowOperationsFlags,
): Promise<ExitStatus> {
  const format = readFormat(flags.output);
  const state = states.find((known) => known === flags.state);
  if (flags.state !== undefined && state === undefined)
    throw usageFault(`--state ${flags.state} is no state`, `it is one of ${states.join(', ')}`);
  if (id !== undefined && vms !== undefined && !meansSeveral(vms)) {
    const client = await context.connect(flags);
    const vm = client.vm(vms);
    const operation = flags.cancel === true ? await vm.cancel(id) : await vm.operation(id);
    await writeOne(context.output, format, operation, { name: operation.id, details: detailsOf(operation) });
    return flags.cancel === true ? exitStatus.done : statusOf(operation);
  }
  if (flags.cancel === true) throw usageFault('--cancel needs a VM and the id of one operation');
  const client = await context.connect(flags);
  const limit = flags.limit === undefined ? undefined : Number(flags.limit);
  const wanted = { vm: readVms(vms), label: readLabels(flags.label), state, limit };
  const { operations } = await client.operations(wanted);
  await writeRows(context.output, format, operations, operationRows);
  return exitStatus.done;
}

/** Looking at what still runs succeeds. */
function statusOf(operation: CommandOperation): ExitStatus {
  return operation.state === 'running' ? exitStatus.done : statusOfOperation(operation);
}

function detailsOf(operation: CommandOperation): Parameters<typeof writeOne>[3]['details'] {
  const { job, progress, error, descriptors = [] } = operation;
  return [
    ['id', operation.id],
    ['vm', operation.vm],
    ['command', operation.command ?? undefined],
    ['state', operation.state, 'state'],
    ['job', job === undefined ? undefined : `${job.id} ${job.type ?? ''} ${job.status ?? ''}`.trim()],
    ['progress', progress === null ? undefined : progressText(operation)],
    ['descriptors', descriptors.map(({ use, state }) => `${use} ${state}`).join(', ') || undefined],
    ['started', operation.started],
    ['ended', operation.ended ?? undefined],
    ['error', error === null ? undefined : `${error.code}: ${error.detail}`, 'red'],
    ['returned', operation.return === undefined ? undefined : compactJson(operation.return)],
    ['events', operation.events.map(({ event }) => event).join(', ') || undefined],
  ];
}
