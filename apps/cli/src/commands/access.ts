import type { CommandDecision, CommandOutlook, Grant } from '@qmp-gateway/client';
import { argumentsFor, givenArguments } from '../arguments/given-arguments.js';
import type { CommandContext } from '../command-context.js';
import type { ConnectionFlags } from '../connection.js';
import { exitStatus, type ExitStatus } from '../exit-status.js';
import { readFormat, writeOne } from '../output/formats.js';

export interface AccessFlags extends ConnectionFlags {
  readonly output: string;
  readonly json?: string;
}

/** What may be asked about. */
export interface AskedCommand {
  readonly vm: string | undefined;
  readonly command: string | undefined;
  readonly words: readonly string[];
}

/** `access`: who the caller is; with a VM and a command also whether it may be run, by the status too. */
export async function showAccess(
  context: CommandContext,
  { vm, command, words }: AskedCommand,
  flags: AccessFlags,
): Promise<ExitStatus> {
  const format = readFormat(flags.output);
  const given = await givenArguments(context, words, flags.json);
  const client = await context.connect(flags);
  const answer: Grant | CommandOutlook | CommandDecision =
    vm === undefined || command === undefined
      ? await client.access()
      : 'pairs' in given && given.pairs.length === 0
        ? await client.vm(vm).mayRun(command)
        : await client.vm(vm).mayRunWith(command, (await argumentsFor(context, client.vm(vm), command, given)) ?? {});
  await writeOne(context.output, format, answer, { name: answer.principal, details: detailsOf(answer) });
  return 'allowed' in answer && answer.allowed === false ? exitStatus.refused : exitStatus.done;
}

function detailsOf(answer: Grant | CommandOutlook | CommandDecision): Parameters<typeof writeOne>[3]['details'] {
  const { principal, level, vms, commands } = answer;
  const isPlain = commands.allow.join() === '*' && commands.deny.length === 0;
  const grant = [
    ['principal', principal],
    ['level', level],
    ['vms', vms.join(', ')],
    ['allowed commands', isPlain ? undefined : commands.allow.join(', ')],
    ['denied commands', commands.deny.length === 0 ? undefined : commands.deny.join(', ')],
  ] as const;
  if (!('allowed' in answer)) return grant;
  const { allowed } = answer;
  return [
    ['allowed', allowed === true ? 'yes' : allowed === false ? 'no' : 'it depends on the arguments', 'state'],
    ['class', answer.class],
    ['rule', answer.rule],
    ['reason', answer.reason],
    ...grant,
  ];
}
