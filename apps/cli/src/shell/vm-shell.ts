import { createInterface } from 'node:readline';
import { readJson, type GatewayClient, type GatewayEvent, type VmClient } from '@qmp-gateway/client';
import { readPair } from '../arguments/argument-pairs.js';
import { argumentFault, typedFor } from '../arguments/given-arguments.js';
import type { ServerModel } from '../arguments/schema-model.js';
import type { CommandContext } from '../command-context.js';
import { describeShellCommand } from './shell-help.js';
import { argumentCandidates, commandCandidates, type Candidate } from '../completion/candidates.js';
import { liveValues } from '../completion/live-values.js';
import { modelOf } from '../completion/model-store.js';
import type { ConnectionFlags } from '../connection.js';
import { eventText } from '../commands/event-text.js';
import { statusOfError } from '../error-status.js';
import { exitStatus, usageFault, type ExitStatus } from '../exit-status.js';
import { failureText } from '../failure.js';
import { prettyJson } from '../output/json-text.js';
import { oneLine, shownLines } from '../output/terminal-text.js';
import { PromptTerminal, type Completions } from './prompt-terminal.js';
import { ShellHistory } from './shell-history.js';
import { splitLine } from './shell-words.js';

export interface ShellFlags extends ConnectionFlags {
  readonly event?: readonly string[];
  readonly events: boolean;
}

/** Of the gateway's own events, what neither the VM nor the answer to a line says. */
function isNews(event: GatewayEvent): boolean {
  if (event.event === 'operation') return event.data.job !== undefined || event.data.progress !== null;
  return event.event !== 'vm-changed' || event.data.state !== 'ready' || event.data.health !== 'ok';
}

/** `shell`: commands of one VM, line by line, with its events in between. */
export async function runShell(context: CommandContext, id: string, flags: ShellFlags): Promise<ExitStatus> {
  const client = await context.connect(flags);
  const vm = client.vm(id);
  const shell = new VmShell(context, vm, await modelOf(vm, context.environment));
  if (!context.stdin.isTTY || !context.output.isTerminal) return shell.runScript();
  return shell.runPrompt(client, flags);
}

class VmShell {
  readonly #values;
  #terminal: PromptTerminal | undefined;

  constructor(
    private readonly context: CommandContext,
    private readonly vm: VmClient,
    private readonly model: ServerModel,
  ) {
    this.#values = liveValues(vm);
  }

  /** Lines from a file or a pipe; the status is that of the last one that failed. */
  async runScript(): Promise<ExitStatus> {
    let status: ExitStatus = exitStatus.done;
    let text = '';
    for await (const line of createInterface({ input: this.context.stdin })) {
      text += text === '' ? line : `\n${line}`;
      if (splitLine(text).isOpen) continue;
      const ended = await this.#runLine(text, new AbortController().signal);
      if (ended !== exitStatus.done) status = ended;
      text = '';
    }
    if (text !== '') throw usageFault('the last line does not end: a quote or a bracket is open');
    return status;
  }

  async runPrompt(client: GatewayClient, flags: ShellFlags): Promise<ExitStatus> {
    const history = new ShellHistory(this.context.environment, this.context.failure.address ?? '', this.vm.id);
    const terminal = (this.#terminal = new PromptTerminal({
      input: this.context.stdin,
      output: process.stdout,
      history: history.read(),
      historyChanged: (lines) => history.keep(lines),
      complete: (line) => this.#complete(line),
    }));
    const leaving = new AbortController();
    const events = flags.events ? this.#showEvents(client, flags.event, leaving.signal) : Promise.resolve();
    terminal.writeAbove(`${this.vm.id}: Tab completes, !COMMAND is HMP, help tells more, Ctrl-D leaves`);
    try {
      await this.#readLines(terminal);
    } finally {
      leaving.abort();
      terminal.close();
      this.context.output.write('\n');
      await events;
    }
    return exitStatus.done;
  }

  async #readLines(terminal: PromptTerminal): Promise<void> {
    const prompt = `${this.vm.id}> `;
    for (let text = ''; ;) {
      const line = await terminal.ask(text === '' ? prompt : '... '.padStart(prompt.length), () => (text = ''));
      if (line === undefined) return;
      text += text === '' ? line : `\n${line}`;
      if (splitLine(text).isOpen) continue;
      if (['exit', '.exit'].includes(text.trim())) return;
      if (text.trim() === 'quit' && !(await this.#isMeant(terminal))) text = '';
      await this.#runInterruptible(terminal, text);
      text = '';
    }
  }

  /** In qmp-shell `quit` is a command of the VM too, and has ended many a VM. */
  async #isMeant(terminal: PromptTerminal): Promise<boolean> {
    const answer = await terminal.ask(
      `quit ends ${this.vm.id}; Ctrl-D leaves the shell. End the VM? [y/N] `,
      () => undefined,
      { isQuestion: true },
    );
    return answer?.trim().toLowerCase() === 'y';
  }

  async #runInterruptible(terminal: PromptTerminal, text: string): Promise<void> {
    const waiting = new AbortController();
    const release = terminal.whileRunning(() => waiting.abort());
    try {
      await this.#runLine(text, waiting.signal);
    } finally {
      release();
    }
  }

  async #runLine(text: string, signal: AbortSignal): Promise<ExitStatus> {
    const { context } = this;
    try {
      await this.#run(text.trim(), signal);
      return exitStatus.done;
    } catch (error) {
      const said = signal.aborted
        ? `no longer waiting; the command goes on (look: ${context.program} operations ${this.vm.id})`
        : failureText(error, context.failure);
      context.output.note(context.output.errorStyle('red', said));
      return signal.aborted ? exitStatus.unknown : statusOfError(error);
    }
  }

  async #run(text: string, signal: AbortSignal): Promise<void> {
    const { output } = this.context;
    if (text === '' || text.startsWith('#')) return;
    if (text.startsWith('!')) {
      const said = await this.vm.execute('human-monitor-command', { 'command-line': text.slice(1).trim() }, { signal });
      output.write(shownLines(said));
      if (said !== '' && !said.endsWith('\n')) output.write('\n');
      return;
    }
    if (text.startsWith('{')) return this.#runMessage(text, signal);
    const [command = '', ...words] = splitLine(text).words;
    if (command === 'help' || command === '?') {
      for (const line of describeShellCommand(this.model, words[0], output)) output.line(line);
      return;
    }
    const typed = await typedFor(this.vm, this.model, command, words.map(readPair));
    this.context.failure.keys = typed.keys;
    if (typed.faults.length > 0) throw argumentFault(typed);
    output.line(prettyJson(await this.vm.execute(command, typed.value, { signal })));
  }

  /** A message as the wire has it. */
  async #runMessage(text: string, signal: AbortSignal): Promise<void> {
    let message: { execute?: unknown; arguments?: unknown };
    try {
      message = readJson(text) as typeof message;
    } catch (error) {
      throw usageFault(error instanceof Error ? error.message : 'no JSON');
    }
    const { execute, arguments: args } = message;
    if (typeof execute !== 'string') throw usageFault('a message has "execute"', '{"execute": "query-status"}');
    const value = await this.vm.execute(execute, args as Readonly<Record<string, unknown>> | undefined, { signal });
    this.context.output.line(prettyJson(value));
  }

  async #showEvents(client: GatewayClient, names: readonly string[] | undefined, signal: AbortSignal): Promise<void> {
    const event = names?.flatMap((each) => each.split(',')) ?? [];
    try {
      for await (const each of client.events({ vm: this.vm.id, event, signal }))
        if (event.length > 0 || isNews(each)) this.#terminal?.writeAbove(eventText(each, this.context.output.style, 0));
    } catch (error) {
      if (!signal.aborted) this.#terminal?.writeAbove(`events end: ${failureText(error, this.context.failure)}`);
    }
  }

  async #complete(line: string): Promise<Completions> {
    const { words, last } = splitLine(line);
    const before = last.text === '' ? words : words.slice(0, -1);
    // What is quoted or escaped stays as it was typed.
    if (line.slice(last.at) !== last.text) return [[], ''];
    const [command, ...given] = before;
    const all = await this.#candidates(command, given, last.text);
    // Readline writes them as they are.
    const found = all.filter(({ text }) => text === oneLine(text));
    return [found.map(({ text, isWhole }) => (isWhole ? `${text} ` : text)), last.text];
  }

  #candidates(command: string | undefined, words: readonly string[], begun: string): Promise<Candidate[]> {
    if (command === undefined || command === 'help')
      return Promise.resolve([
        ...commandCandidates(this.model, begun),
        ...(command === undefined ? ['help', 'exit'] : [])
          .filter((name) => name.startsWith(begun))
          .map((text) => ({ text, isWhole: true })),
      ]);
    return argumentCandidates(this.model, command, { words, begun }, this.#values);
  }
}
