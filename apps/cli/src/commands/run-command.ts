import type { GatewayClient, VmClient } from '@qmp-gateway/client';
import type { CommandContext } from '../command-context.js';
import { argumentsFor, givenArguments, type SentArguments } from '../arguments/given-arguments.js';
import { CliFault, exitStatus, usageFault, type ExitStatus } from '../exit-status.js';
import { readFormat, writeDocument, writeReturned } from '../output/formats.js';
import { endText, followOperation, statusOfOperation } from './follow-operation.js';
import type { RunCommandFlags } from './run-flags.js';
import { meansSeveral } from './vm-selection.js';

/** A command as it was typed. */
export interface TypedCommand {
  readonly vms: string;
  readonly command: string;
  readonly words: readonly string[];
}

/** `exec`: a command on one VM, or on all that are selected. */
export async function runCommand(
  context: CommandContext,
  { vms: vm, command, words }: TypedCommand,
  flags: RunCommandFlags,
): Promise<ExitStatus> {
  const given = await givenArguments(context, words, flags.json);
  const client = await context.connect(flags);
  if (meansSeveral(vm) || flags.label !== undefined) {
    const single = (['dryRun', 'idempotencyKey', 'epoch', 'wait'] as const).find((name) => flags[name] !== undefined);
    if (single !== undefined) throw usageFault(`--${dashed(single)} works for one VM`);
    const { runOnMany } = await import('./run-on-many.js');
    return runOnMany(context, client, { vms: vm, command, given }, flags);
  }
  const target = client.vm(vm);
  const args = await argumentsFor(context, target, command, given);
  if (flags.wait === true) return runToItsEnd(context, { vm: target, command, args }, flags);
  return runOnOne(context, client, { vm: target, command, args }, flags);
}

const dashed = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

interface ChosenCommand {
  readonly vm: VmClient;
  readonly command: string;
  readonly args: SentArguments;
}

async function runOnOne(
  context: CommandContext,
  client: GatewayClient,
  { vm, command, args }: ChosenCommand,
  flags: RunCommandFlags,
): Promise<ExitStatus> {
  const format = readFormat(flags.output ?? 'json');
  const signal = context.interruption;
  const { timeout, epoch, idempotencyKey } = flags;
  const options = { timeout, epoch, idempotencyKey, signal };
  try {
    if (flags.dryRun === true) {
      const answer = await vm.execute(command, args, { timeout, epoch, signal, dryRun: true });
      await writeDocument(context.output, format === 'table' || format === 'name' ? 'json' : format, answer);
      return exitStatus.done;
    }
    const { value } = await vm.executeInFull(command, args, options);
    await writeReturned(context.output, format, value);
    return exitStatus.done;
  } catch (error) {
    if (!signal.aborted) throw error;
    throw await interrupted(context, client, vm.id, command);
  }
}

async function runToItsEnd(
  context: CommandContext,
  { vm, command, args }: ChosenCommand,
  flags: RunCommandFlags,
): Promise<ExitStatus> {
  if (flags.dryRun === true) throw usageFault('--dry-run starts nothing that --wait could wait for');
  const format = readFormat(flags.output ?? 'json');
  const signal = context.interruption;
  const { timeout, epoch, idempotencyKey } = flags;
  const { id } = await vm.start(command, args, { timeout, epoch, idempotencyKey });
  const operation = await followOperation(context, vm, id, signal);
  if (operation === undefined)
    throw new CliFault(
      exitStatus.unknown,
      `${vm.id}: ${command} goes on`,
      `look: ${context.program} operations ${vm.id} ${id}`,
    );
  const status = statusOfOperation(operation);
  if (status !== exitStatus.done) throw new CliFault(status, endText(operation));
  await writeReturned(context.output, format, operation.return ?? {});
  return exitStatus.done;
}

const lookMs = 2000;

/** After Ctrl-C: QMP has no cancel, so the command goes on; here is how to find it again. */
async function interrupted(
  context: CommandContext,
  client: GatewayClient,
  vm: string,
  command: string,
): Promise<CliFault> {
  let id = '';
  try {
    const wanted = { vm, state: 'running', limit: 100, signal: AbortSignal.timeout(lookMs) } as const;
    const { operations } = await client.operations(wanted);
    id = operations.find((operation) => operation.command === command)?.id ?? '';
  } catch {
    // The way to look is told without its number.
  }
  const look = `look: ${context.program} operations ${vm} ${id}`.trimEnd();
  return new CliFault(exitStatus.unknown, `${vm}: no longer waiting; ${command} goes on`, look);
}
