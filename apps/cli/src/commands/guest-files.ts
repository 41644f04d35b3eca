import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { AgentClient } from '@qmp-gateway/client';
import type { CommandContext } from '../command-context.js';
import type { ConnectionFlags } from '../connection.js';
import { exitStatus, usageFault, type ExitStatus } from '../exit-status.js';
import { sizeText } from '../output/quantities.js';
import { oneLine } from '../output/terminal-text.js';

export interface CopyFlags extends ConnectionFlags {
  readonly verify?: boolean;
}

/** A file here, or `VM:/path` in a guest. */
interface Place {
  readonly vm: string | undefined;
  readonly path: string;
}

function readPlace(text: string): Place {
  const [, vm, file] = /^([A-Za-z0-9][A-Za-z0-9._-]*):(.+)$/s.exec(text) ?? [];
  return vm === undefined || file === undefined ? { vm: undefined, path: text } : { vm, path: file };
}

/** `agent cp`: a file into a guest or out of it; `-` is stdin or stdout. */
export async function copyGuestFile(
  context: CommandContext,
  from: string,
  to: string,
  flags: CopyFlags,
): Promise<ExitStatus> {
  const [source, target] = [readPlace(from), readPlace(to)];
  if ((source.vm === undefined) === (target.vm === undefined))
    throw usageFault(
      'one of both is VM:/PATH, the other a file here',
      `${context.program} agent cp notes.txt web-1:/tmp/`,
    );
  const client = await context.connect(flags);
  if (source.vm !== undefined) await download(context, client.vm(source.vm).agent, source.path, target.path);
  else await upload(context, client.vm(target.vm ?? '').agent, { from: source.path, to: target.path }, flags);
  return exitStatus.done;
}

async function download(context: CommandContext, agent: AgentClient, from: string, to: string): Promise<void> {
  const signal = context.interruption;
  const parts = agent.readFile(from, { signal });
  if (to === '-') {
    for await (const part of parts) context.output.write(part);
    return;
  }
  const file = (await isDirectory(to)) ? path.join(to, path.posix.basename(from)) : to;
  // Half a file under its name would look like a whole one.
  const unfinished = `${file}.part-${process.pid}`;
  try {
    let written = 0;
    const first = await parts.next();
    const stream = createWriteStream(unfinished, { flags: 'wx' });
    await once(stream, 'open');
    for (let { done, value } = first; done !== true; { done, value } = await parts.next()) {
      written += value?.length ?? 0;
      if (!stream.write(value)) await once(stream, 'drain');
    }
    stream.end();
    await once(stream, 'finish');
    await rename(unfinished, file);
    if (context.output.isErrorTerminal) context.output.note(`${file}: ${sizeText(written)}`);
  } catch (error) {
    await rm(unfinished, { force: true });
    if (isFileError(error)) throw usageFault(`${file} cannot be written: ${error.code ?? ''}`);
    throw error;
  }
}

async function upload(
  context: CommandContext,
  agent: AgentClient,
  { from, to }: { readonly from: string; readonly to: string },
  { verify }: CopyFlags,
): Promise<void> {
  let bytes: Buffer;
  try {
    bytes = from === '-' ? await buffer(context.stdin) : await readFile(from);
  } catch (error) {
    throw usageFault(`${from} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
  const target = to.endsWith('/') ? `${to}${path.basename(from)}` : to;
  const options = { verify, signal: context.interruption };
  const written = await agent.writeFile(target, new Uint8Array(bytes), options);
  if (context.output.isErrorTerminal)
    context.output.note(oneLine(`${written.path}: ${sizeText(written.size)}, sha256 ${written.sha256}`));
}

async function isDirectory(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isDirectory();
  } catch {
    return false;
  }
}

const isFileError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'syscall' in error && ['open', 'write', 'rename'].includes(String(error.syscall));
