import { Option, type Command } from 'commander';
import type { ActionOf } from '../command-action.js';
import { formatOption, repeatable, rootOf, withExamples } from '../command-options.js';
import type { AccessFlags } from '../commands/access.js';
import type { CreateTokenFlags } from '../commands/tokens.js';
import type { ConnectionFlags } from '../connection.js';

type Shown = ConnectionFlags & { readonly output: string };

/** Commands about who one is, tokens, nodes, and the shell that they are typed in. */
export function addAccountCommands(root: Command, work: ActionOf): void {
  addLogin(root, work);
  addTokens(root, work);
  addAccess(root, work);
  addShellHelp(root, work);
}

function addLogin(root: Command, work: ActionOf): void {
  withExamples(
    root
      .command('login <url>')
      .summary('keep a token for a gateway')
      .description('keep a token for a gateway, and make it the current one; the token comes from stdin or a prompt')
      .action(
        work(async (context, flags: ConnectionFlags, url: string) =>
          (await import('../commands/login.js')).logIn(context, url, flags),
        ),
      ),
    'login https://gw.example.org',
    'login http://127.0.0.1:8080 <state/root.token',
    'login https://gw.example.org --ca ca.pem',
  );
  withExamples(
    root
      .command('logout [url]')
      .summary('forget the token of a gateway')
      .description('forget the token of a gateway (default: the current one)')
      .action(
        work(async (context, _: ConnectionFlags, url: string | undefined) =>
          (await import('../commands/login.js')).logOut(context, url),
        ),
      ),
    'logout',
  );
}

function addTokens(root: Command, work: ActionOf): void {
  const tokens = root.command('tokens').description('list, create and revoke tokens');
  withExamples(
    tokens
      .command('list', { isDefault: true })
      .description('list the tokens that you manage')
      .addOption(formatOption())
      .action(
        work(async (context, flags: Shown) => (await import('../commands/tokens.js')).listTokens(context, flags)),
      ),
    'tokens',
  );
  withExamples(
    tokens
      .command('create')
      .description('create a token and print it, and nothing else, on stdout')
      .requiredOption('--level <level>', 'read, operate, configure or host')
      .addOption(repeatable('--vms <glob>', 'VM ids that it reaches, or label:key=glob'))
      .option('--expires <duration>', 'how long it is valid, e.g. 30d')
      .option('--name <name>', 'what it is for')
      .addOption(repeatable('--allow <glob>', 'commands it may run'))
      .addOption(repeatable('--deny <glob>', 'commands it may not run'))
      .addOption(repeatable('--endpoint <glob>', 'endpoints at which it may register VMs'))
      .addOption(formatOption())
      .action(
        work(async (context, flags: CreateTokenFlags) =>
          (await import('../commands/tokens.js')).createToken(context, flags),
        ),
      ),
    "tokens create --level read --vms 'web-*' --expires 30d --name dashboard",
  );
  withExamples(
    tokens
      .command('revoke <ids...>')
      .description('revoke tokens')
      .action(
        work(async (context, flags: ConnectionFlags, ids: string[]) =>
          (await import('../commands/tokens.js')).revokeTokens(context, ids, flags),
        ),
      ),
    'tokens revoke 4f9k2p',
  );
}

function addAccess(root: Command, work: ActionOf): void {
  withExamples(
    root
      .command('access [vm] [command] [arguments...]')
      .summary('show who you are, and what you may do')
      .description('show who you are, or whether you may run a command (status 1: no)')
      .option('--json <json>', 'the arguments as JSON; -: from stdin; @FILE: from a file')
      .addOption(formatOption())
      .action(
        work(
          async (
            context,
            flags: AccessFlags,
            ...[vm, command, words]: [string | undefined, string | undefined, string[]]
          ) => (await import('../commands/access.js')).showAccess(context, { vm, command, words }, flags),
        ),
      ),
    'access',
    'access web-1 device_add driver=virtio-rng-pci',
  );
  withExamples(
    root
      .command('nodes')
      .description('list the nodes of the fleet')
      .addOption(formatOption())
      .action(work(async (context, flags: Shown) => (await import('../commands/nodes.js')).listNodes(context, flags))),
    'nodes',
  );
}

function addShellHelp(root: Command, work: ActionOf): void {
  withExamples(
    root
      .command('completion <shell>')
      .summary('print a completion script for bash, zsh or fish')
      .description('print a script that completes commands, VMs and arguments: bash, zsh or fish')
      .action(
        work(async (context, _: ConnectionFlags, shell: string) =>
          (await import('../completion/completion-scripts.js')).writeScript(context, shell),
        ),
      ),
    'completion bash >~/.local/share/bash-completion/completions/qmpctl',
    'completion fish >~/.config/fish/completions/qmpctl.fish',
  );
  root
    .command('__complete', { hidden: true })
    .addOption(new Option('--shell <shell>').default('bash'))
    .argument('<line>')
    .action(
      work(async (context, flags: ConnectionFlags & { readonly shell: string }, line: string) =>
        (await import('../completion/complete-line.js')).completeLine(context, rootOf(root), line, flags),
      ),
    );
  root
    .command('__manual', { hidden: true })
    .action(work(async (context) => (await import('../manual-page.js')).writeManual(context, rootOf(root))));
}
