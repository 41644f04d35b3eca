import type { GatewayClient } from '@qmp-gateway/client';
import type { Command } from 'commander';
import type { ServerModel } from '../arguments/schema-model.js';
import type { CommandContext } from '../command-context.js';
import { chooseConnection, type ConnectionFlags } from '../connection.js';
import { exitStatus, type ExitStatus } from '../exit-status.js';
import { formatNames } from '../output/format-names.js';
import { oneLine } from '../output/terminal-text.js';
import { splitLine } from '../shell/shell-words.js';
import { argumentCandidates, commandCandidates, type Candidate } from './candidates.js';
import { liveValues } from './live-values.js';
import { CacheDirectory, modelOf } from './model-store.js';
import { quoted } from './shell-quoting.js';

const idsMs = 10_000;
const lookMs = 2000;
const mostCandidates = 500;

interface KnownVm {
  readonly id: string;
  readonly schema: string | null;
}

const fixedValues: Readonly<Record<string, readonly string[]>> = {
  '-o': formatNames,
  '--output': formatNames,
  '--level': ['read', 'operate', 'configure', 'host'],
  '--state': ['running', 'ready', 'done', 'failed', 'cancelled', 'lost'],
  '--for': [
    'state=ready',
    'state=running',
    'state=paused',
    'operation=',
    'SHUTDOWN',
    'STOP',
    'RESUME',
    'RESET',
    'JOB_STATUS_CHANGE',
    'DEVICE_DELETED',
  ],
};

/** `__complete`: what may follow a line, one on each line; nothing, where the gateway does not answer soon. */
export async function completeLine(
  context: CommandContext,
  root: Command,
  line: string,
  flags: ConnectionFlags & { readonly shell: string },
): Promise<ExitStatus> {
  const { words, last } = splitLine(line);
  const before = (last.text === '' ? words : words.slice(0, -1)).slice(1);
  let found: Candidate[] = [];
  try {
    found = await new LineCompleter(context, root, flags).complete(before, last.text);
  } catch {
    // At a Tab nothing can be said.
  }
  for (const { text, about } of found.filter((each) => each.text === oneLine(each.text)).slice(0, mostCandidates))
    context.output.line(
      flags.shell === 'fish'
        ? withAbout(text, about)
        : quoted(flags.shell === 'bash' ? bashPart(text, last.text) : text),
    );
  return exitStatus.done;
}

/** fish shows what stands behind a tab, and quotes what it writes by itself. */
function withAbout(text: string, about: string | undefined): string {
  return about === undefined ? text : `${text}\t${oneLine(about)}`;
}

/** bash breaks words at `=` and `:`, and replaces only what follows. */
function bashPart(text: string, begun: string): string {
  return text.slice(Math.max(begun.lastIndexOf('='), begun.lastIndexOf(':')) + 1);
}

class LineCompleter {
  readonly #cache: CacheDirectory;
  #client: GatewayClient | undefined;

  constructor(
    private readonly context: CommandContext,
    private readonly root: Command,
    private readonly flags: ConnectionFlags,
  ) {
    this.#cache = new CacheDirectory(context.environment);
  }

  async complete(words: readonly string[], begun: string): Promise<Candidate[]> {
    const { command, operands, pending } = this.#place(words);
    if (pending !== undefined) return fitting(fixedValues[pending] ?? [], begun);
    if (begun.startsWith('-')) {
      const options = [...command.options, ...this.root.options].filter(({ hidden }) => !hidden);
      return options.flatMap(({ long, description }) =>
        long?.startsWith(begun) === true ? [{ text: long, isWhole: true, about: description }] : [],
      );
    }
    const inner = command.commands.filter((each) => !each.name().startsWith('__') && each.name().startsWith(begun));
    if (command.commands.length > 0 && operands.length === 0)
      return inner.map((each) => ({
        text: each.name(),
        isWhole: true,
        about: each.description().split('\n')[0] ?? '',
      }));
    return this.#operands(nameOf(command), operands, begun);
  }

  /** Which command a line has come to, the operands after it, and the option whose value comes next. */
  #place(words: readonly string[]): { command: Command; operands: string[]; pending: string | undefined } {
    let command = this.root;
    let pending: string | undefined;
    const operands: string[] = [];
    for (const word of words) {
      if (pending !== undefined) pending = undefined;
      else if (word.startsWith('-') && word !== '-' && word !== '--') {
        const option = [...command.options, ...this.root.options].find(
          ({ long, short }) => long === word || short === word,
        );
        if (option?.required === true) pending = word;
      } else {
        const inner = operands.length === 0 ? command.commands.find((each) => each.name() === word) : undefined;
        if (inner === undefined) operands.push(word);
        else command = inner;
      }
    }
    return { command, operands, pending };
  }

  async #operands(command: string, operands: readonly string[], begun: string): Promise<Candidate[]> {
    const [vm, name, ...words] = operands;
    const first = command.endsWith(' cp') || ['login', 'logout', 'nodes'].includes(command) ? undefined : 'vm';
    if (command === 'completion') return fitting(['bash', 'zsh', 'fish'], begun);
    if (vm === undefined) return first === undefined ? [] : this.#ids(begun);
    if (['exec', 'access', 'commands'].includes(command)) {
      const id = await this.#firstOf(vm);
      const model = await this.#model(id);
      if (name === undefined) return commandCandidates(model, begun);
      const source = liveValues((await this.#connected()).vm(id));
      return command === 'commands' ? [] : argumentCandidates(model, name, { words, begun }, source);
    }
    if (command === 'agent run') {
      const { commands, types } = await (
        await this.#connected()
      )
        .vm(vm)
        .agent.get({ signal: AbortSignal.timeout(lookMs) });
      if (name === undefined) return commandCandidates({ commands, types }, begun);
      return argumentCandidates({ commands, types }, name, { words, begun });
    }
    if (command === 'serial' && name === undefined) {
      const { serials } = await (await this.#connected()).vm(vm).serials({ signal: AbortSignal.timeout(lookMs) });
      return fitting(
        serials.map(({ id }) => id),
        begun,
      );
    }
    return [];
  }

  async #ids(begun: string): Promise<Candidate[]> {
    return fitting(
      (await this.#vms()).map(({ id }) => id),
      begun,
    );
  }

  /** Of a glob, one that it matches stands for all. */
  async #firstOf(vms: string): Promise<string> {
    const [start = ''] = vms.split(/[*?[,]/);
    return /[*?[,]/.test(vms) ? ((await this.#vms()).find(({ id }) => id.startsWith(start))?.id ?? '') : vms;
  }

  async #vms(): Promise<readonly KnownVm[]> {
    const { address } = chooseConnection(this.flags, this.context.environment);
    const known = this.#cache.read(`vms ${address.text}`, idsMs) as readonly KnownVm[] | undefined;
    if (known !== undefined) return known;
    const { vms } = await (await this.#connected()).vms({ signal: AbortSignal.timeout(lookMs) });
    const rows = vms.map(({ id, schema }) => ({ id, schema }));
    this.#cache.keep(`vms ${address.text}`, rows);
    return rows;
  }

  async #model(id: string): Promise<ServerModel> {
    const schema = (await this.#vms()).find((vm) => vm.id === id)?.schema ?? null;
    const known = schema === null ? undefined : this.#cache.read(`schema ${schema}`, Infinity);
    return (known as ServerModel | undefined) ?? modelOf((await this.#connected()).vm(id), this.context.environment);
  }

  async #connected(): Promise<GatewayClient> {
    return (this.#client ??= await this.context.connect(this.flags));
  }
}

function nameOf(command: Command): string {
  const above = command.parent;
  return above === null || above.parent === null ? command.name() : `${nameOf(above)} ${command.name()}`;
}

function fitting(texts: readonly string[], begun: string): Candidate[] {
  return texts.filter((text) => text.startsWith(begun)).map((text) => ({ text, isWhole: !text.endsWith('=') }));
}
