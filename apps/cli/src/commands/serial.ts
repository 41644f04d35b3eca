import { GatewayClosed, isTerminalReply, type SerialPart, type SerialStream, type VmClient } from '@qmp-gateway/client';
import type { CommandContext } from '../command-context.js';
import type { ConnectionFlags } from '../connection.js';
import { CliFault, exitStatus, usageFault, type ExitStatus } from '../exit-status.js';
import { readFormat, writeRows, type RowShape } from '../output/formats.js';
import { sizeText } from '../output/quantities.js';
import { oneLine } from '../output/terminal-text.js';

export interface SerialFlags extends ConnectionFlags {
  readonly list?: boolean;
  readonly text?: boolean;
  readonly view?: boolean;
  readonly take?: boolean;
  readonly output: string;
}

type SerialRow = Awaited<ReturnType<VmClient['serials']>>['serials'][number];

const serialRows: RowShape<SerialRow> = {
  columns: [
    { title: 'LINE', of: ({ id }) => id, least: 8 },
    { title: 'KIND', of: ({ kind }) => kind },
    { title: 'DEVICE', of: ({ device }) => device, least: 10 },
    { title: 'AVAILABLE', of: ({ available }) => (available ? 'yes' : 'no'), colour: 'state' },
    { title: 'KEPT', of: ({ kept }) => sizeText(kept), align: 'right' },
    { title: 'READERS', of: ({ readers }) => String(readers), align: 'right' },
    { title: 'TYPIST', of: ({ typist }) => typist ?? '' },
    { title: 'REASON', of: ({ reason }) => reason ?? '', least: 16 },
  ],
  name: ({ id }) => id,
  none: 'no serial lines',
};

/** `serial`: a serial line on this terminal, until `Ctrl-]`; or what it said, or which there are. */
export async function openSerial(
  context: CommandContext,
  id: string,
  line: string | undefined,
  flags: SerialFlags,
): Promise<ExitStatus> {
  const { output, stdin } = context;
  const format = readFormat(flags.output);
  const isInteractive = flags.list !== true && flags.text !== true;
  if (isInteractive && flags.view !== true && !stdin.isTTY)
    throw usageFault('stdin is not a terminal', '--text prints what the line said, --view only looks');
  const client = await context.connect(flags, { sockets: isInteractive });
  const vm = client.vm(id);
  if (flags.list === true) {
    const { serials, reason } = await vm.serials();
    await writeRows(output, format, serials, { ...serialRows, none: reason ?? serialRows.none });
    return exitStatus.done;
  }
  const chosen = vm.serial(line ?? (await onlyLine(context, vm)));
  if (flags.text === true) {
    const kept = await chosen.text();
    output.write(output.isTerminal ? shownSerial(kept) : kept);
    return exitStatus.done;
  }
  const stream = chosen.connect({ view: flags.view, signal: flags.view === true ? context.interruption : undefined });
  const session = new SerialSession(context, stream, flags.take === true);
  return session.run(`${id} ${chosen.id}`, flags.view === true);
}

/** The line that is meant where none is named. */
async function onlyLine(context: CommandContext, vm: VmClient): Promise<string> {
  const { serials, reason } = await vm.serials();
  const available = serials.filter(({ available: isThere }) => isThere);
  const [only, ...others] = available;
  if (only === undefined)
    throw new CliFault(
      exitStatus.notSent,
      `${vm.id} has no serial line to open: ${reason ?? serials[0]?.reason ?? 'none is there'}`,
    );
  if (others.length === 0) return only.id;
  throw usageFault(
    `${vm.id} has several lines: ${available.map((each) => each.id).join(', ')}`,
    `${context.program} serial ${vm.id} ${only.id}`,
  );
}

/** What is kept may end within a sequence of escapes: without them it cannot change the terminal. */
function shownSerial(kept: Uint8Array): string {
  const text = new TextDecoder().decode(kept);
  const plain = text.replaceAll(/\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\^_])/g, '');
  return plain.split(/\r*\n/).map(oneLine).join('\n');
}

/** Ctrl-], as in telnet. */
const leaveKey = 0x1d;

class SerialSession {
  #wasRefused = false;
  #isTypist = false;

  constructor(
    private readonly context: CommandContext,
    private readonly stream: SerialStream,
    private readonly take: boolean,
  ) {}

  async run(name: string, isView: boolean): Promise<ExitStatus> {
    const { stdin, output } = this.context;
    const type = (data: Buffer): void => this.#typed(data);
    if (!isView) {
      stdin.setRawMode(true);
      stdin.on('data', type);
    }
    this.#say(`${name}: Ctrl-] leaves`);
    const closed = (): void => this.stream.close();
    output.closed.addEventListener('abort', closed);
    try {
      for await (const part of this.stream) this.#show(part);
    } catch (error) {
      if (error instanceof GatewayClosed) throw new CliFault(exitStatus.notSent, `${name}: ${error.message}`);
      if (!(isView && this.context.interruption.aborted)) throw error;
    } finally {
      if (!isView) {
        stdin.off('data', type);
        stdin.setRawMode(false);
        stdin.pause();
      }
      if (output.isErrorTerminal) output.writeError('\r\n');
    }
    return exitStatus.done;
  }

  #typed(data: Buffer): void {
    // What the line said before may ask the terminal where it is, and nobody has typed.
    if (!this.#isTypist && isTerminalReply(data.toString('latin1'))) return;
    const at = data.indexOf(leaveKey);
    const typed = at === -1 ? data : data.subarray(0, at);
    if (typed.length > 0 && !this.stream.write(new Uint8Array(typed))) this.#say('no connection: nothing was typed');
    if (at !== -1) this.stream.close();
  }

  #show(part: SerialPart): void {
    switch (part.kind) {
      case 'output':
        this.context.output.write(part.bytes);
        return;
      case 'gap':
        this.#say(part.bytes === null ? 'output was missed' : `${part.bytes} bytes were missed`);
        return;
      case 'typist':
        this.#isTypist = part.you;
        if (part.you || part.typist === null) return;
        this.#say(`${part.typist} types; --take types in their place`);
        return;
      case 'refused':
        if (!this.#wasRefused) this.#say(part.reason);
        this.#wasRefused = true;
        return;
      case 'connection':
        if (part.open) {
          if (this.take) this.stream.take();
        } else this.#say('the connection was lost; connecting again');
    }
  }

  /** On a line of its own, on a terminal where line feed alone does not return. */
  #say(text: string): void {
    const { output } = this.context;
    if (output.isErrorTerminal) output.writeError(`\r\n${output.errorStyle('dim', `[${oneLine(text)}]`)}\r\n`);
  }
}
