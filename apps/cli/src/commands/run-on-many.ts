import type { FanOutLine, GatewayClient } from '@qmp-gateway/client';
import { argumentFault, typedFor, type GivenArguments, type SentArguments } from '../arguments/given-arguments.js';
import type { CommandContext } from '../command-context.js';
import { modelOf } from '../completion/model-store.js';
import { statusOfError, statusOfProblem, worstStatus } from '../error-status.js';
import { exitStatus, usageFault, type ExitStatus } from '../exit-status.js';
import { failureText, problemText } from '../failure.js';
import type { Format } from '../output/format-names.js';
import { readFormat, writeDocument } from '../output/formats.js';
import { compactJson } from '../output/json-text.js';
import { oneLine } from '../output/terminal-text.js';
import { stateColour } from '../output/style.js';
import type { RunCommandFlags } from './run-flags.js';
import { readLabels, readVms } from './vm-selection.js';

interface WantedCommand {
  readonly vms: string;
  readonly command: string;
  readonly given: GivenArguments;
}

/** VMs that get the same arguments. */
interface FanOutGroup {
  readonly vm: readonly string[];
  readonly args: SentArguments;
  readonly keys: ReadonlyMap<string, string>;
}

/** Runs a command on all selected VMs and writes a line for each as it answers. */
export async function runOnMany(
  context: CommandContext,
  client: GatewayClient,
  { vms, command, given }: WantedCommand,
  flags: RunCommandFlags,
): Promise<ExitStatus> {
  const format = readFormat(flags.output ?? 'table');
  const label = readLabels(flags.label);
  const globs = readVms(vms) ?? ['*'];
  const { vms: selected } = await client.vms({ vm: globs, label });
  const missing = globs.filter((glob) => !/[*?[\]]/.test(glob) && !selected.some(({ id }) => id === glob));
  // Asked for by its id, so that the gateway names the nearest ones.
  if (missing.length > 0 && flags.label === undefined) await client.vm(missing[0] ?? '').get();
  if (selected.length === 0) throw usageFault(`no VM matches ${vms}`, `${context.program} vms lists them`);
  const groups = await groupsOf(context, client, { command, given }, { globs, selected: selected.map(({ id }) => id) });
  const lines = new FanOutLines(context, format, Math.max(...selected.map(({ id }) => id.length)));
  const signal = context.interruption;
  for (const { vm, args, keys } of groups) {
    try {
      for await (const line of client.fanOut(command, args, { vm, label, timeout: flags.timeout, signal }))
        lines.add(line, keys);
    } catch (error) {
      // What was answered before has been said, and the status has to say that the rest is not known.
      if (groups.length === 1 && lines.count === 0 && !signal.aborted) throw error;
      context.output.note(
        signal.aborted
          ? `${context.program}: no longer waiting; the commands go on (look: ${context.program} operations '${vms}')`
          : `${context.program}: ${failureText(error, context.failure)}`,
      );
      lines.statuses.push(signal.aborted ? exitStatus.unknown : statusOfError(error));
      if (signal.aborted) break;
    }
  }
  await lines.end();
  return worstStatus(lines.statuses);
}

/** VMs of different models may need different arguments for the same words. */
async function groupsOf(
  context: CommandContext,
  client: GatewayClient,
  { command, given }: Pick<WantedCommand, 'command' | 'given'>,
  { globs, selected }: { readonly globs: readonly string[]; readonly selected: readonly string[] },
): Promise<readonly FanOutGroup[]> {
  const keys: ReadonlyMap<string, string> = new Map();
  if ('json' in given) return [{ vm: globs, args: given.json as unknown as SentArguments, keys }];
  if (given.pairs.length === 0) return [{ vm: globs, args: undefined, keys }];
  const groups = new Map<string, { vm: string[]; args: SentArguments; keys: ReadonlyMap<string, string> }>();
  for (const id of selected) {
    const vm = client.vm(id);
    const typed = await typedFor(vm, await modelOf(vm, context.environment), command, given.pairs);
    if (typed.faults.length > 0) throw argumentFault(typed);
    const text = compactJson(typed.value);
    const group = groups.get(text);
    if (group === undefined) groups.set(text, { vm: [id], args: typed.value, keys: typed.keys });
    else group.vm.push(id);
  }
  const all = [...groups.values()];
  return all.length === 1 ? all.map((group) => ({ ...group, vm: globs })) : all;
}

const outcomeNames: Readonly<Record<ExitStatus, string>> = {
  [exitStatus.done]: 'done',
  [exitStatus.refused]: 'refused',
  [exitStatus.usage]: 'not sent',
  [exitStatus.notSent]: 'not sent',
  [exitStatus.unknown]: 'unknown',
};

class FanOutLines {
  readonly statuses: ExitStatus[] = [];
  readonly #all: FanOutLine[] = [];
  count = 0;

  constructor(
    private readonly context: CommandContext,
    private readonly format: Format,
    private readonly vmWidth: number,
  ) {}

  add(line: FanOutLine, keys: ReadonlyMap<string, string>): void {
    this.count++;
    const status = 'problem' in line ? statusOfProblem(line.problem) : exitStatus.done;
    this.statuses.push(status);
    const { output } = this.context;
    if (this.format === 'json' || this.format === 'yaml') this.#all.push(line);
    else if (this.format === 'jsonl') output.line(compactJson(line));
    else if (this.format === 'name') {
      if (status === exitStatus.done) output.line(oneLine(line.vm));
    } else {
      const word = outcomeNames[status];
      const what = 'problem' in line ? oneLine(problemText(withoutVm(line.problem), keys)) : compactJson(line.return);
      const painted = output.style(stateColour(word), word.padEnd(8));
      output.line(`${oneLine(line.vm).padEnd(this.vmWidth)}  ${painted}  ${what === '{}' ? '' : what}`.trimEnd());
    }
  }

  async end(): Promise<void> {
    if (this.format === 'json' || this.format === 'yaml')
      await writeDocument(this.context.output, this.format, this.#all);
  }
}

/** The line begins with the VM already. */
function withoutVm<T extends { readonly vm?: string }>({ vm: _, ...rest }: T): Omit<T, 'vm'> {
  return rest;
}
