import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { createApplication } from './application.js';
import { Gateway } from './gateway.js';
import { loadSettings, SettingsError, type Flags } from './settings/load-settings.js';
import { createLogger } from './settings/logger.js';

/** What is in flight at SIGTERM has this long to end. */
const graceMs = 8_000;
const collect = (value: string, previous: string[] | undefined) => [...(previous ?? []), value];

const program = new Command('qmp-gateway').description('QMP as HTTP and WebSocket').exitOverride().showHelpAfterError();

program
  .command('serve')
  .description('run the gateway')
  .addOption(new Option('--config <file>', 'settings file (default: ./qmp-gateway.yaml if present)'))
  .addOption(
    new Option('--listen <addr>', 'host:port or unix:/path; repeatable (default: 127.0.0.1:8080)').argParser(collect),
  )
  .addOption(
    new Option('--vm <id=endpoint>', 'a VM, e.g. web-1=unix:/run/qemu/web-1.qmp; repeatable').argParser(collect),
  )
  .addOption(new Option('--auth <mode>', 'token, or none for local listeners (default: token)'))
  .addOption(new Option('--allow-host', 'with --auth none: allow commands of class host'))
  .addOption(new Option('--state <dir>', 'registry, tokens, audit log (default: $STATE_DIRECTORY or ./state)'))
  .addOption(new Option('--catalog <file>', 'a catalog of your own; repeatable').argParser(collect))
  .addOption(new Option('--log-level <level>', 'fatal, error, warn, info, debug, trace or silent (default: info)'))
  .action(async (flags: Flags) => serve(flags));

program
  .command('version')
  .description('print the version')
  .action(() => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    process.stdout.write(`${version}\n`);
  });

async function serve(flags: Flags): Promise<void> {
  const settings = loadSettings(flags);
  const log = createLogger(settings.logLevel);
  const gateway = new Gateway(settings, log);
  await createApplication(gateway);
  await gateway.start();
  for (const { url } of gateway.listeners) process.stdout.write(`qmp-gateway listening on ${url}\n`);
  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    gateway.stop(graceMs).then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  // A fault of ours that nobody caught: say so, and end cleanly rather than go on in a state nobody knows.
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught exception');
    stop('uncaughtException');
    process.exitCode = 1;
  });
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
