import { GatewayProblem } from '@qmp-gateway/client';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { ReadStream } from 'node:tty';
import type { CommandContext } from '../command-context.js';
import { connectTo, type ConnectionFlags } from '../connection.js';
import { CliFault, exitStatus, usageFault, type ExitStatus } from '../exit-status.js';
import { readAddress } from '../gateway-address.js';
import { LoginFile } from '../login-file.js';
import { oneLine } from '../output/terminal-text.js';

/** `login`: keeps a token for a gateway, after the gateway has accepted it. */
export async function logIn(context: CommandContext, url: string, flags: ConnectionFlags): Promise<ExitStatus> {
  const address = readAddress(url);
  const token = (await readToken(context)).trim();
  if (/\s/.test(token)) throw usageFault('that is no token: it has white space in it');
  const files = absolute(flags);
  const { ca, cert, key } = files;
  const trace = flags.debug === true ? (line: string) => context.output.note(oneLine(line)) : undefined;
  context.failure.address = address.text;
  context.failure.hasToken = token !== '';
  const client = await connectTo({ address, token: token === '' ? undefined : token, ca, cert, key }, trace);
  const { principal, level, vms } = await client.access().catch((error: unknown) => {
    if (token === '' && error instanceof GatewayProblem && error.code === 'unauthenticated')
      throw noToken(address.text);
    throw error;
  });
  const logins = new LoginFile(context.environment);
  logins.keep(address.text, { ...(token === '' ? {} : { token }), ...withoutUndefined(files) });
  context.output.note(oneLine(`logged in to ${address.text} as ${principal}, level ${level}, VMs ${vms.join(', ')}`));
  return exitStatus.done;
}

function noToken(address: string): CliFault {
  return new CliFault(
    exitStatus.refused,
    'unauthenticated: no token came',
    `qmpctl login ${address} <FILE, or type it`,
  );
}

/** `logout`: forgets what was kept. The token itself goes on until it expires or is revoked. */
export function logOut(context: CommandContext, url: string | undefined): Promise<ExitStatus> {
  const logins = new LoginFile(context.environment);
  const address = url === undefined ? logins.current : readAddress(url).text;
  if (address === undefined || !logins.forget(address))
    throw usageFault(`not logged in${address === undefined ? '' : ` to ${address}`}`);
  context.output.note(`forgot ${address}`);
  return Promise.resolve(exitStatus.done);
}

/** Files of TLS by paths that hold wherever the next command is called. */
function absolute({ ca, cert, key }: ConnectionFlags): Record<'ca' | 'cert' | 'key', string | undefined> {
  const whole = (file: string | undefined): string | undefined => (file === undefined ? undefined : path.resolve(file));
  return { ca: whole(ca), cert: whole(cert), key: whole(key) };
}

function withoutUndefined<T extends object>(values: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}

function readToken(context: CommandContext): Promise<string> {
  return context.stdin.isTTY ? prompted(context.stdin, context) : text(context.stdin);
}

/** Reads a line from the terminal without showing it. */
function prompted(stdin: ReadStream, { output }: CommandContext): Promise<string> {
  output.writeError('Token: ');
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  return new Promise((resolve, reject) => {
    let typed = '';
    const end = (finish: () => void): void => {
      stdin.off('data', read);
      stdin.setRawMode(false);
      stdin.pause();
      output.writeError('\n');
      finish();
    };
    const read = (data: Buffer | string): void => {
      for (const character of data.toString()) {
        if (character === '\r' || character === '\n' || character === '\u0004') {
          end(() => resolve(typed));
          return;
        }
        if (character === '\u0003') {
          end(() => reject(new CliFault(exitStatus.usage, 'nothing was kept')));
          return;
        }
        if (character === '\u007f' || character === '\b') typed = typed.slice(0, -1);
        else if (character === '\u0015') typed = '';
        else typed += character;
      }
    };
    stdin.on('data', read);
  });
}
