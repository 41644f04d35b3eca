/**
 * The command line of `qmp-gateway`: flags to settings, settings to a running gateway, signals to an orderly end.
 * What the gateway is made of and how it works is not known here.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { addTokenCommands } from './access/token-command-line.js';
import { settingFlags, type Flags } from './settings/flags.js';
import { SettingsError } from './settings/load-settings.js';
import { createLogger } from './settings/logger.js';
import { checkedSettings } from './settings/named-files.js';

/** What is in flight at SIGTERM has this long to end. */
const graceMs = 8_000;
const collect = (value: string, previous: string[] | undefined) => [...(previous ?? []), value];

const program = new Command('qmp-gateway').description('QMP as HTTP and WebSocket').exitOverride().showHelpAfterError();

const settingsOptions = [
  new Option('--config <file>', 'settings file (default: ./qmp-gateway.yaml if present)'),
  ...settingFlags.map(({ spelling, what, repeatable }) => {
    const option = new Option(spelling, repeatable === true ? `${what}; repeatable` : what);
    return repeatable === true ? option.argParser(collect) : option;
  }),
];

const serveCommand = program.command('serve').description('run the gateway').action(serve);
const checkCommand = program
  .command('check-config')
  .description('check the settings and the files they name, with the flags of serve; nothing is started')
  .action(checkConfig);
for (const option of settingsOptions) {
  serveCommand.addOption(option);
  checkCommand.addOption(option);
}

addTokenCommands(program);

program
  .command('version')
  .description('print the version')
  .action(() => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    process.stdout.write(`${version}\n`);
  });

function checkConfig(flags: Flags): void {
  // Root looks for a service that will run as somebody else: whose its directories should be, only that one knows.
  checkedSettings(flags, process.geteuid?.() === 0 ? 'any' : 'own');
  process.stdout.write('the settings are valid\n');
}

async function serve(flags: Flags): Promise<void> {
  const settings = checkedSettings(flags);
  // Nest takes a second to load, which the other commands can do without.
  const { createApplication } = await import('./application.js');
  const { Gateway } = await import('./gateway.js');
  const log = createLogger(settings.logLevel);
  const gateway = new Gateway(settings, log);
  await createApplication(gateway);
  let stopping = false;
  const stop = (reason: string, status: number) => {
    if (stopping) return;
    stopping = true;
    log.info({ reason }, 'stopping');
    gateway.stop(graceMs).then(
      () => process.exit(status),
      (error: unknown) => {
        log.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  // Before the listening line is out: whoever reads it may send a signal at once.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(signal, 0));
  process.on('SIGHUP', () => void gateway.reload(() => checkedSettings(flags)));
  // A fault of ours that nobody caught: say so, and end cleanly rather than go on in a state nobody knows.
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught exception');
    stop('uncaught exception', 1);
  });
  await gateway.start();
  for (const { url } of gateway.listeners) process.stdout.write(`qmp-gateway listening on ${url}\n`);
}

/** Runs the command line; every fault of the settings is one line on stderr and exit 2. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else if (error instanceof SettingsError) {
      process.stderr.write(error.faults.map((fault) => `${fault}\n`).join(''));
      // A listener that was opened before the fault must not keep the process.
      process.exit(2);
    } else throw error;
  }
}
