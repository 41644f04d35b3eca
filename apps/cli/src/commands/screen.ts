import { writeFileSync } from 'node:fs';
import type { CommandContext } from '../command-context.js';
import type { ConnectionFlags } from '../connection.js';
import { exitStatus, usageFault, type ExitStatus } from '../exit-status.js';
import { sizeText } from '../output/quantities.js';

export interface ScreenFlags extends ConnectionFlags {
  readonly output?: string;
  readonly device?: string;
  readonly head?: string;
}

/** `screen`: a picture of the screen, to a file, or to stdout where that is no terminal. */
export async function takePicture(context: CommandContext, id: string, flags: ScreenFlags): Promise<ExitStatus> {
  const { output } = context;
  const file = flags.output ?? (output.isTerminal ? undefined : '-');
  if (file === undefined || (file === '-' && output.isTerminal))
    throw usageFault('a picture is nothing for a terminal', `-o ${id}.png writes it to a file`);
  const head = flags.head === undefined ? undefined : Number(flags.head);
  if (head !== undefined && !Number.isInteger(head)) throw usageFault(`--head ${flags.head ?? ''} is no number`);
  const client = await context.connect(flags);
  const picture = await client.vm(id).screen({ device: flags.device, head, signal: context.interruption });
  if (file === '-') output.write(picture);
  else {
    try {
      writeFileSync(file, picture);
    } catch (error) {
      throw usageFault(`${file} cannot be written: ${(error as NodeJS.ErrnoException).code ?? ''}`);
    }
    if (output.isErrorTerminal) output.note(`${file}: ${sizeText(picture.length)}`);
  }
  return exitStatus.done;
}
