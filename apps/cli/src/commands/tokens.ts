import type { Level, StoredToken, TokenRequest } from '@qmp-gateway/client';
import type { CommandContext } from '../command-context.js';
import type { ConnectionFlags } from '../connection.js';
import { exitStatus, usageFault, type ExitStatus } from '../exit-status.js';
import { readFormat, writeRows, type RowShape } from '../output/formats.js';
import { compactJson } from '../output/json-text.js';
import { oneLine } from '../output/terminal-text.js';

export interface CreateTokenFlags extends ConnectionFlags {
  readonly level: string;
  readonly vms?: readonly string[];
  readonly expires?: string;
  readonly name?: string;
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  readonly endpoint?: readonly string[];
  readonly output: string;
}

const tokenRows: RowShape<StoredToken> = {
  columns: [
    { title: 'ID', of: ({ id }) => id },
    { title: 'LEVEL', of: ({ level }) => level },
    { title: 'VMS', of: ({ vms }) => vms.join(','), least: 10 },
    { title: 'EXPIRES', of: ({ expires }) => expires ?? 'never' },
    { title: 'OWNER', of: ({ owner }) => owner ?? '', least: 10 },
    { title: 'NAME', of: ({ name }) => name, least: 10 },
  ],
  name: ({ id }) => id,
  none: 'no tokens',
};

/** `tokens list` */
export async function listTokens(
  context: CommandContext,
  flags: ConnectionFlags & { readonly output: string },
): Promise<ExitStatus> {
  const format = readFormat(flags.output);
  const client = await context.connect(flags);
  await writeRows(context.output, format, await client.tokens(), tokenRows);
  return exitStatus.done;
}

const levels: readonly Level[] = ['read', 'operate', 'configure', 'host'];

/** `tokens create`: the token alone on stdout, unless another format is asked for. */
export async function createToken(context: CommandContext, flags: CreateTokenFlags): Promise<ExitStatus> {
  const format = readFormat(flags.output);
  const level = levels.find((known) => known === flags.level);
  if (level === undefined) throw usageFault(`--level ${flags.level} is no level`, `it is one of ${levels.join(', ')}`);
  const { vms, expires, name, allow, deny, endpoint: endpoints } = flags;
  const request: TokenRequest = {
    level,
    ...(vms === undefined ? {} : { vms }),
    ...(expires === undefined ? {} : { expires }),
    ...(name === undefined ? {} : { name }),
    ...(endpoints === undefined ? {} : { endpoints }),
    ...(allow === undefined && deny === undefined
      ? {}
      : { commands: { ...(allow === undefined ? {} : { allow }), ...(deny === undefined ? {} : { deny }) } }),
  };
  const client = await context.connect(flags);
  const made = await client.createToken(request);
  if (format === 'table') {
    context.output.line(oneLine(made.token));
    if (context.output.isErrorTerminal)
      context.output.note(
        oneLine(
          `${made.id}: ${made.level} on ${made.vms.join(', ')}, ${made.expires === null ? 'until it is revoked' : `until ${made.expires}`}; it is shown this once`,
        ),
      );
  } else if (format === 'name') context.output.line(oneLine(made.id));
  else context.output.line(compactJson(made));
  return exitStatus.done;
}

/** `tokens revoke` */
export async function revokeTokens(
  context: CommandContext,
  ids: readonly string[],
  flags: ConnectionFlags,
): Promise<ExitStatus> {
  const client = await context.connect(flags);
  for (const id of ids) await client.revokeToken(id);
  return exitStatus.done;
}
