import { Command, Option } from 'commander';
import type { ActionOf } from './command-action.js';
import type { CommandContext } from './command-context.js';
import { addAccountCommands } from './definitions/account.js';
import { addGuestCommands } from './definitions/guest.js';
import { addLookCommands } from './definitions/look.js';
import { addRunCommands } from './definitions/run.js';

const helpEnd = `
Exit status: 0 done, 1 refused, 2 usage, 3 not sent, 4 unknown outcome.
Variables: QMPGW_URL, QMPGW_TOKEN, QMPGW_CA, QMPGW_CERT, QMPGW_KEY, NO_COLOR.`;

/**
 * The whole command line. What a command does is loaded when it is called.
 * @param program as the user called it
 */
export function commandLine(program: string, version: string, context: () => CommandContext): Command {
  const work: ActionOf =
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- as ActionOf has them
    <Operands extends unknown[], Flags>(
        inner: (context: CommandContext, flags: Flags, ...operands: Operands) => Promise<number>,
      ) =>
      async (...given) => {
        // Commander hands over the operands as they are declared, the options, and the command.
        const command = given.at(-1) as Command;
        const operands = given.slice(0, -2) as Operands;
        process.exitCode = await inner(context(), command.optsWithGlobals() as Flags, ...operands);
      };
  const root = new Command(program)
    .description('Work with the VMs of a qmp-gateway')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addOption(new Option('--url <url>', 'the gateway: https://HOST or unix:/PATH'))
    .addOption(new Option('--ca <file>', 'authorities to trust, instead of the usual ones'))
    .addOption(new Option('--cert <file>', 'client certificate'))
    .addOption(new Option('--key <file>', 'its key'))
    .option('--debug', 'print the HTTP on stderr, without the token')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', helpEnd)
    .configureHelp({ showGlobalOptions: false, helpWidth: 80, subcommandTerm: (command) => command.name() })
    .configureOutput({
      outputError: (text, write) =>
        write(
          `${program}: ${text
            .replace(/^error: /, '')
            .trim()
            .replaceAll('\n', ' ')} (see ${program} --help)\n`,
        ),
    })
    .exitOverride();
  addLookCommands(root, work);
  addRunCommands(root, work);
  addGuestCommands(root, work);
  addAccountCommands(root, work);
  return root;
}
