import type { Command } from 'commander';
import type { ActionOf } from '../command-action.js';
import { formatOption, labelOption, repeatable, withExamples } from '../command-options.js';
import type { ListVmsFlags } from '../commands/list-vms.js';
import type { ShowEventsFlags } from '../commands/show-events.js';
import type { ShowOperationsFlags } from '../commands/show-operations.js';
import type { WaitForFlags } from '../commands/wait-for.js';
import type { ConnectionFlags } from '../connection.js';

type Shown = ConnectionFlags & { readonly output: string };

/** Commands that look at VMs, and wait for what happens to them. */
export function addLookCommands(root: Command, work: ActionOf): void {
  addVms(root, work);
  addHappenings(root, work);
}

function addVms(root: Command, work: ActionOf): void {
  withExamples(
    root
      .command('vms [vms]')
      .summary('list VMs')
      .description('list VMs: all, or those whose ids match (web-*, a,b)')
      .addOption(labelOption())
      .option('--node <node>', 'only VMs at this node of a fleet')
      .option('-w, --watch', 'go on, with a line for each change')
      .addOption(formatOption())
      .action(
        work(async (context, flags: ListVmsFlags, vms: string | undefined) =>
          (await import('../commands/list-vms.js')).listVms(context, vms, flags),
        ),
      ),
    'vms',
    "vms 'web-*' -l tenant=a -o name",
    'vms --watch',
  );
  withExamples(
    root
      .command('vm <vm>')
      .description('show what is known of a VM')
      .option('--wait <duration>', 'wait until it is ready, at most so long')
      .addOption(formatOption())
      .action(
        work(async (context, flags: Shown & { readonly wait?: string }, vm: string) =>
          (await import('../commands/show-vm.js')).showVm(context, vm, flags),
        ),
      ),
    'vm web-1',
    'vm web-1 --wait 60s -o json',
  );
  withExamples(
    root
      .command('commands <vm> [command]')
      .description('list the commands of a VM, or show what one takes')
      .addOption(formatOption())
      .action(
        work(async (context, flags: Shown, vm: string, command: string | undefined) =>
          (await import('../commands/describe-commands.js')).describeCommands(context, vm, command, flags),
        ),
      ),
    "commands web-1 'query-*'",
    'commands web-1 device_add',
  );
}

function addHappenings(root: Command, work: ActionOf): void {
  withExamples(
    root
      .command('events [vms]')
      .summary('print events that are kept, or that come')
      .description('print events: those that are kept, or with -f those that come')
      .addOption(repeatable('-e, --event <glob>', 'only events with such names'))
      .addOption(labelOption())
      .option('--after <cursor>', 'only events after this one; oldest: all that are kept')
      .option('-f, --follow', 'go on with what comes, until Ctrl-C')
      .option('-n, --limit <number>', 'end after so many')
      .option('--coalesce <duration>', 'with -f: of equal events within this time only the newest')
      .addOption(formatOption())
      .action(
        work(async (context, flags: ShowEventsFlags, vms: string | undefined) =>
          (await import('../commands/show-events.js')).showEvents(context, vms, flags),
        ),
      ),
    'events -f',
    "events web-1 --event 'BLOCK_*' -o jsonl",
  );
  withExamples(
    root
      .command('wait <vm>')
      .description('wait for an event, a state, or the end of an operation')
      .requiredOption('--for <what>', 'EVENT, state=STATE (ready, running, …) or operation=ID')
      .option('--after <cursor>', 'of events: also those since this one')
      .option('--timeout <duration>', 'give up after so long, with status 4')
      .addOption(formatOption())
      .action(
        work(async (context, flags: WaitForFlags, vm: string) =>
          (await import('../commands/wait-for.js')).waitFor(context, vm, flags),
        ),
      ),
    'wait web-1 --for SHUTDOWN --timeout 2m',
    'wait web-1 --for state=ready',
  );
  withExamples(
    root
      .command('operations [vms] [id]')
      .summary('show what became of commands, and the work they started')
      .description('list commands and the work they started, or show one')
      .option('--state <state>', 'only those: running, ready, done, failed, cancelled, lost')
      .addOption(labelOption())
      .option('-n, --limit <number>', 'at most so many, the newest')
      .option('--cancel', 'have the VM cancel the job or migration')
      .addOption(formatOption())
      .action(
        work(async (context, flags: ShowOperationsFlags, vms: string | undefined, id: string | undefined) =>
          (await import('../commands/show-operations.js')).showOperations(context, vms, id, flags),
        ),
      ),
    'operations --state running',
    'operations web-1 k3v9-17 --cancel',
  );
}
