/**
 * The command line of `qmp-gateway`: turns flags into settings, settings into a running gateway, and signals into an
 * orderly end. It does not know what the gateway is made of.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addTokenCommands } from './access/tokens/token-command-line.js';
import { checkedSettings } from './named-files.js';
import type { ProcessSignals } from './process-signals.js';
import { ServiceManager } from './service-manager.js';
import { settingFlags, settingOptions, type Flags } from './settings/flags.js';
import { loadSettings, SettingsError } from './settings/load-settings.js';
import { standardError } from './settings/log-output.js';
import { createLogger } from './settings/logger.js';

const examples = `
Examples:
  qmp-gateway serve --vm web-1=unix:/run/qemu/web-1.qmp
  qmp-gateway check-config --config qmp-gateway.yaml
  qmp-gateway token create --level read
  qmp-gateway vms

Words of qmpctl work here too (login, vms, exec, events, shell and others):
qmp-gateway vms --help, docs/command-line.md.`;

const moreSettings = `
Each flag is also a variable of the environment (env) and a key of the settings
file, which has more settings.`;

/** Something the user wrote is wrong: it fails in the same way until somebody changes it. */
const wrongStatus = 2;
/** `EX_TEMPFAIL` of sysexits.h: the machine is not as the settings need it, which may pass. */
const mayPassStatus = 75;

/** The whole command line. */
function commandLine(signals: () => ProcessSignals): Command {
  const version = ownVersion();
  const program = new Command('qmp-gateway')
    .description('QMP as HTTP and WebSocket')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', examples)
    .exitOverride();
  const serveCommand = program
    .command('serve')
    .description('run the gateway')
    .action((flags: Flags) => serve(flags, signals()));
  const checkCommand = program
    .command('check-config')
    .description(
      'check the settings, the files they name and the NATS of a fleet without starting anything; takes the flags of serve',
    )
    .action(checkConfig);
  const healthCommand = program
    .command('health')
    .description('ask the gateway that runs here whether it is alive; takes the flags of serve')
    .action(health);
  const consoleCommand = program
    .command('console')
    .description('print the address of the console of the gateway that runs here, with a code that lets in once')
    .action(printConsoleLink);
  for (const command of [serveCommand, checkCommand, healthCommand, consoleCommand]) {
    for (const option of settingOptions()) command.addOption(option);
    command.addHelpText('after', moreSettings);
  }
  addTokenCommands(program);
  program
    .command('version')
    .description('print the version')
    .action(() => void process.stdout.write(`${version}\n`));
  program.helpCommand('help [command]', 'print the help of a command');
  pointToHelp(program, 'qmp-gateway');
  return program;
}

/** Faults of the command line end with where the help is, not with the help: they would scroll out of sight. */
function pointToHelp(command: Command, called: string): void {
  command.showHelpAfterError(`Run ${called} --help for usage.`);
  for (const inner of command.commands) pointToHelp(inner, `${called} ${inner.name()}`);
}

function ownVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

async function checkConfig(flags: Flags): Promise<void> {
  // Root may check on behalf of a service that runs as another user, and cannot know who should own its directories.
  const { fleet } = checkedSettings(flags, process.geteuid?.() === 0 ? 'any' : 'own');
  if (fleet !== undefined) {
    const { checkFleet } = await import('./fleet/fleet-check.js');
    await checkFleet(fleet);
  }
  process.stdout.write('the settings are valid\n');
}

/** For health checks of containers: status 0 when the gateway answers, 1 when it does not. */
async function health(flags: Flags): Promise<void> {
  const { ownHealth } = await import('./health/own-health.js');
  const fault = await ownHealth(loadSettings(flags));
  process.stdout.write(fault === undefined ? 'alive\n' : `not alive: ${fault}\n`);
  process.exitCode = fault === undefined ? 0 : 1;
}

/** A link into the console, which works once and for a minute. */
async function printConsoleLink(flags: Flags): Promise<void> {
  const { consoleLink } = await import('./console/console-link.js');
  process.stdout.write(`${await consoleLink(loadSettings(flags), process.env)}\n`);
}

async function serve(flags: Flags, signals: ProcessSignals): Promise<void> {
  const settings = checkedSettings(flags);
  // Nest takes a second to load; the other commands do not need it.
  // In parts, because Node opens all files of an import at once, and a process may have few descriptors.
  await import('@nestjs/core');
  await import('./schemas/schemas.module.js');
  await import('./vms/vms.module.js');
  await import('./commands/commands.module.js');
  const { createApplication } = await import('./application.js');
  const { Lifecycle } = await import('./lifecycle.js');
  const { Reload } = await import('./reload.js');
  const log = createLogger(settings.logLevel);
  process.on('exit', () => standardError.flushSync());
  // Whoever read the addresses may have gone; the gateway goes on without them.
  process.stdout.on('error', () => undefined);
  const manager = new ServiceManager(process.env, (reason) => log.warn({ reason }, 'cannot tell systemd how it is'));
  const application = await createApplication(settings, log);
  let stopping = false;
  const stop = (reason: string, status: number) => {
    if (stopping) return;
    stopping = true;
    log.info({ reason }, 'stopping');
    manager.stopping();
    application.close().then(
      () => process.exit(status),
      (error: unknown) => {
        log.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  const reload = application.get(Reload);
  // An error that no code of ours caught: log it and end cleanly, because the state of the process is unknown.
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught exception');
    stop('uncaught exception', 1);
  });
  const reloadNow = () => manager.reloading(() => reload.run(() => checkedSettings(flags)));
  const started = application.init();
  signals.handOver({
    stop: (signal) => stop(signal, 0),
    reload: () => void started.then(reloadNow, () => undefined),
  });
  await started;
  manager.ready();
  for (const url of application.get(Lifecycle).urls) process.stdout.write(`qmp-gateway listening on ${url}\n`);
}

/**
 * Runs the command line. Every fault of the settings is one line on stderr; the exit status is 2, or of `serve` 75 when they
 * may be right and the machine is not as they need it.
 * @param signals those of the process, for `serve`
 */
export async function main(argv: readonly string[], signals: () => ProcessSignals): Promise<void> {
  try {
    await commandLine(signals).parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : wrongStatus;
      if (error.code === 'commander.unknownOption') pointToServe(argv[2] ?? '');
    } else if (error instanceof SettingsError) {
      process.stderr.write(error.faults.map((fault) => `${fault}\n`).join(''));
      // A listener that was opened before the fault must not keep the process.
      process.exit(error.mayPass && argv[2] === 'serve' ? mayPassStatus : wrongStatus);
    } else throw error;
  }
}

/** For a flag of `serve` where the name of the command should be. */
function pointToServe(first: string): void {
  const flag = first.replace(/=.*$/s, '');
  const isOfServe = flag === '--config' || settingFlags.some(({ spelling }) => spelling.split(' ', 1)[0] === flag);
  if (isOfServe) process.stderr.write(`${flag} is a flag of serve: qmp-gateway serve ${flag} …\n`);
}
