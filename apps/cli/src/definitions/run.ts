import type { Command } from 'commander';
import type { ActionOf } from '../command-action.js';
import { formatOption, labelOption, repeatable, withExamples } from '../command-options.js';
import type { RunCommandFlags } from '../commands/run-flags.js';
import type { KeysFlags } from '../commands/keys.js';
import type { QomFlags } from '../commands/qom.js';
import type { ScreenFlags } from '../commands/screen.js';
import type { SerialFlags } from '../commands/serial.js';
import type { ShellFlags } from '../shell/vm-shell.js';

/** Commands that make VMs do something. */
export function addRunCommands(root: Command, work: ActionOf): void {
  addExec(root, work);
  addShell(root, work);
  addMachine(root, work);
  addParts(root, work);
}

function addExec(root: Command, work: ActionOf): void {
  withExamples(
    root
      .command('exec <vms> <command> [arguments...]')
      .summary('run a QMP command on one VM or on many')
      .description(
        'run a QMP command on a VM, or on all that match (web-*, a,b).\n' +
          'Arguments are key=value, read by the model of the VM; a.b=value sets a member,\n' +
          'a key given again makes a list, key:=JSON is taken as it is.',
      )
      .option('--json <json>', 'the arguments as JSON; -: from stdin; @FILE: from a file')
      .addOption(labelOption())
      .option('--timeout <duration>', 'how long to wait for the VM')
      .option('--wait', 'wait for the work that goes on after the reply, with its progress')
      .option('--dry-run', 'only print what would be sent, and the level it needs')
      .option('--idempotency-key <key>', 'the same key runs once, and gets the same answer')
      .option('--epoch <epoch>', 'only in this session of the VM')
      .addOption(formatOption('by case'))
      .action(
        work(async (context, flags: RunCommandFlags, ...[vms, command, words]: [string, string, string[]]) =>
          (await import('../commands/run-command.js')).runCommand(context, { vms, command, words }, flags),
        ),
      ),
    'exec web-1 query-status',
    'exec web-1 device_add driver=virtio-rng-pci id=rng0 bus=rp0',
    "exec 'web-*' stop",
    'exec web-1 drive-backup --wait device=disk0 target=/backup/disk0 sync=full',
  );
}

function addShell(root: Command, work: ActionOf): void {
  withExamples(
    root
      .command('shell <vm>')
      .summary('type commands of a VM, with completion and history')
      .description('type commands of a VM, with completion, history and its events in between')
      .addOption(repeatable('-e, --event <glob>', 'only show events with such names'))
      .option('--no-events', 'show none')
      .action(
        work(async (context, flags: ShellFlags, vm: string) =>
          (await import('../shell/vm-shell.js')).runShell(context, vm, flags),
        ),
      ),
    'shell web-1',
  );
}

function addMachine(root: Command, work: ActionOf): void {
  withExamples(
    root
      .command('screen <vm>')
      .description('take a picture of the screen, as PNG')
      .option('-o, --output <file>', 'where to; -: stdout')
      .option('--device <id>', 'of this display device')
      .option('--head <number>', 'and this head of it')
      .action(
        work(async (context, flags: ScreenFlags, vm: string) =>
          (await import('../commands/screen.js')).takePicture(context, vm, flags),
        ),
      ),
    'screen web-1 -o web-1.png',
  );
  withExamples(
    root
      .command('serial <vm> [line]')
      .description('open a serial line on this terminal; Ctrl-] leaves')
      .option('--list', 'list the lines')
      .option('--text', 'print what the line said, and end')
      .option('--view', 'only look')
      .option('--take', 'type in place of whoever does')
      .addOption(formatOption())
      .action(
        work(async (context, flags: SerialFlags, vm: string, line: string | undefined) =>
          (await import('../commands/serial.js')).openSerial(context, vm, line, flags),
        ),
      ),
    'serial web-1',
    'serial web-1 --list',
  );
}

function addParts(root: Command, work: ActionOf): void {
  withExamples(
    root
      .command('keys <vm> [keys...]')
      .summary('press keys, or type a text')
      .description('press keys, together (ctrl-alt-delete) or one after the other')
      .option('--text <text>', 'type a text on a US keyboard; \\n is Enter; -: from stdin')
      .option('--hold <duration>', 'pause after each press and release')
      .action(
        work(async (context, flags: KeysFlags, vm: string, words: string[]) =>
          (await import('../commands/keys.js')).pressKeys(context, vm, words, flags),
        ),
      ),
    'keys web-1 ctrl-alt-delete',
    "keys web-1 --text 'root\\n'",
  );
  withExamples(
    root
      .command('qom <vm> [path]')
      .summary('look at the object tree of a VM')
      .description('look at the object tree: an object, or the value of a property')
      .option('--depth <levels>', 'also what is so many levels below')
      .option('--type <glob>', 'only objects of such types')
      .option('--search <text>', 'only objects with this in a name')
      .option('--set <json>', 'set the property')
      .addOption(formatOption())
      .action(
        work(async (context, flags: QomFlags, vm: string, path: string | undefined) =>
          (await import('../commands/qom.js')).lookAtQom(context, vm, path ?? '/', flags),
        ),
      ),
    'qom web-1 /machine/peripheral/net0',
    'qom web-1 /objects/io0/poll-max-ns --set 250000',
  );
}
