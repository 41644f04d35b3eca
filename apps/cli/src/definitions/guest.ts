import { Option, type Command } from 'commander';
import type { ActionOf } from '../command-action.js';
import { formatOption, repeatable, withExamples } from '../command-options.js';
import type { CopyFlags } from '../commands/guest-files.js';
import type { GuestProgramFlags } from '../commands/guest-program.js';
import type { ConnectionFlags } from '../connection.js';

type Shown = ConnectionFlags & { readonly output: string };
type AgentCommandFlags = Shown & { readonly json?: string; readonly timeout?: string };

/** `agent …`: what goes through the agent in a guest. */
export function addGuestCommands(root: Command, work: ActionOf): void {
  const agent = root.command('agent').description('run programs and copy files in a guest, through its agent');
  withExamples(
    agent
      .command('exec <vm> [program...]')
      .summary('run a program in the guest')
      .description('run a program; its output and exit status are those of this command')
      .addOption(repeatable('--env <name=value>', 'environment of the program'))
      .option('-i, --stdin', 'pass stdin, to its end')
      .option('--timeout <duration>', 'how long to follow it (default: 10m)')
      .action(
        work(async (context, flags: GuestProgramFlags, vm: string, program: string[]) =>
          (await import('../commands/guest-program.js')).runGuestProgram(context, vm, program, flags),
        ),
      ),
    'agent exec web-1 -- uname -a',
    "agent exec web-1 -- /bin/sh -c 'df -h; exit 3'",
  );
  withExamples(
    agent
      .command('cp <from> <to>')
      .summary('copy a file into a guest, or out of it')
      .description('copy a file into a guest, or out of it; one of both is VM:/PATH; -: stdin or stdout')
      .addOption(new Option('--no-verify', 'do not read the file back'))
      .action(
        work(async (context, flags: CopyFlags, from: string, to: string) =>
          (await import('../commands/guest-files.js')).copyGuestFile(context, from, to, flags),
        ),
      ),
    'agent cp notes.txt web-1:/tmp/',
    'agent cp web-1:/etc/hostname -',
  );
  addAgentCommands(agent, work);
}

function addAgentCommands(agent: Command, work: ActionOf): void {
  withExamples(
    agent
      .command('run <vm> <command> [arguments...]')
      .description('run a command of the agent, with arguments as of exec')
      .option('--json <json>', 'the arguments as JSON; -: from stdin; @FILE: from a file')
      .option('--timeout <duration>', 'how long to wait for the agent')
      .addOption(formatOption('json'))
      .action(
        work(async (context, flags: AgentCommandFlags, ...[vm, command, words]: [string, string, string[]]) =>
          (await import('../commands/guest-agent.js')).runAgentCommand(context, vm, { command, words }, flags),
        ),
      ),
    'agent run web-1 guest-get-osinfo',
  );
  withExamples(
    agent
      .command('info <vm>')
      .description('show how the agent is, and what it offers')
      .addOption(formatOption())
      .action(
        work(async (context, flags: Shown, vm: string) =>
          (await import('../commands/guest-agent.js')).showAgent(context, vm, flags),
        ),
      ),
    'agent info web-1',
  );
}
