import { Option, type Command } from 'commander';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { shapeFaults } from '../../http/resource/shape.js';
import { configOption, stateOption, type Flags } from '../../settings/flags.js';
import { loadSettings, SettingsError } from '../../settings/load-settings.js';
import type { Settings } from '../../settings/settings.js';
import { StateDirectory } from '../../state/state-directory.js';
import { AuditLog, type AuditObserver } from '../audit/audit-log.js';
import { Principal } from '../principal.js';
import { TokenRequest } from './token-shapes.js';
import { TokenStore, type NewToken } from './token-store.js';

interface CreateFlags extends Pick<Flags, 'state' | 'config'> {
  readonly level: string;
  readonly vms?: string[];
  readonly expires?: string;
  readonly name?: string;
  readonly allow?: string[];
  readonly deny?: string[];
  readonly endpoint?: string[];
}

/** Flags whose name differs from the member they set. */
const flagOf: Readonly<Record<string, string>> = { endpoints: 'endpoint', allow: 'allow', deny: 'deny' };

const collect = (value: string, previous: string[] | undefined) => [...(previous ?? []), value];

/** A user who can write the state directory is the gateway's operator, with no one above. */
const tellOnStderr: AuditObserver = {
  auditUnwritable: (error) => void process.stderr.write(`the audit log cannot be written: ${error}\n`),
  auditWritable: () => undefined,
};
const operator = new Principal('command-line', 'command line', { level: 'host', vms: ['*'] });

/** `qmp-gateway token …`: works on the state directory, beside a running gateway or without one. */
export function addTokenCommands(program: Command): void {
  const token = program.command('token').description('create, list and revoke tokens');
  const config = () => configOption('settings file that names the state directory');
  const repeatable = (flag: string, text: string) => new Option(flag, `${text}; repeatable`).argParser(collect);
  token
    .command('create')
    .description('create a token and print it, and nothing else, on stdout')
    .requiredOption('--level <level>', 'read, operate, configure or host')
    .addOption(repeatable('--vms <glob>', 'VM ids that it reaches, or label:key=glob (default: all)'))
    .option('--expires <duration>', 'how long it is valid, e.g. 30d (default: until it is revoked)')
    .option('--name <name>', 'what it is for')
    .addOption(repeatable('--allow <glob>', 'commands it may run (default: all of its level)'))
    .addOption(repeatable('--deny <glob>', 'commands it may not run'))
    .addOption(repeatable('--endpoint <glob>', 'endpoints at which it may register VMs without level host'))
    .addOption(stateOption())
    .addOption(config())
    .action((flags: CreateFlags) => withTokens(flags, (tokens, audit) => create(tokens, audit, flags)));
  token
    .command('list')
    .description('list the tokens, one on each line')
    .addOption(stateOption())
    .addOption(config())
    .action((flags: Flags) => withTokens(flags, list));
  token
    .command('revoke <id>')
    .description('revoke a token; a running gateway refuses it within a second')
    .addOption(stateOption())
    .addOption(config())
    .action((id: string, flags: Flags) => withTokens(flags, (tokens, audit) => revoke(tokens, audit, id)));
}

async function withTokens(
  flags: Pick<Flags, 'config' | 'state'>,
  work: (tokens: TokenStore, audit: AuditLog) => void,
): Promise<void> {
  const { config, state } = flags;
  const settings = loadSettings({
    ...(config === undefined ? {} : { config }),
    ...(state === undefined ? {} : { state }),
  });
  if (!existsSync(settings.state))
    process.stderr.write(
      `state: ${resolve(settings.state)} is new: only a gateway with this state directory knows its tokens\n`,
    );
  const directory = new StateDirectory(settings.state, process.geteuid?.() === 0 ? 'any' : 'own');
  const audit = openAudit(directory, settings);
  work(new TokenStore(directory), audit);
  await audit.close();
}

function openAudit(directory: StateDirectory, settings: Settings): AuditLog {
  const audit = new AuditLog(directory.path, settings.audit, tellOnStderr);
  directory.giveToOwner(audit.path);
  return audit;
}

function create(tokens: TokenStore, audit: AuditLog, flags: CreateFlags): void {
  const { allow, deny, endpoint } = flags;
  const given = {
    ...pick(flags, ['name', 'level', 'vms', 'expires']),
    ...(allow === undefined && deny === undefined ? {} : { commands: pick({ allow, deny }, ['allow', 'deny']) }),
    ...(endpoint === undefined ? {} : { endpoints: endpoint }),
  };
  const faults = shapeFaults(TokenRequest, given).map(({ pointer, message }) => {
    const [, member = '', ...below] = pointer.split('/');
    return `--${flagOf[below[0] ?? ''] ?? flagOf[member] ?? member}: ${message}`;
  });
  if (faults.length > 0) throw new SettingsError(faults);
  const wanted = Object.assign(new TokenRequest(), given);
  const { level, vms = ['*'], name, commands, endpoints } = wanted;
  const life = wanted.lifeMs();
  const token: NewToken = {
    level,
    vms,
    ...(name === undefined ? {} : { name }),
    ...(life === undefined ? {} : { expires: new Date(Date.now() + life) }),
    ...(commands === undefined ? {} : { commands }),
    ...(endpoints === undefined ? {} : { endpoints }),
  };
  const made = tokens.create(token);
  audit.change(operator, undefined, 'token-created', {
    token: made.record.id,
    level,
    vms,
    ...(commands === undefined ? {} : { commands }),
    ...(endpoints === undefined ? {} : { endpoints }),
    expires: made.record.expires ?? null,
  });
  process.stdout.write(`${made.token}\n`);
}

function list(tokens: TokenStore): void {
  const rows = tokens.list().map(({ id, level, vms, expires, owner, name }) => {
    return [id, level, vms.join(','), expires ?? 'never', owner ?? '-', JSON.stringify(name)].join('\t');
  });
  process.stdout.write(['ID\tLEVEL\tVMS\tEXPIRES\tOWNER\tNAME', ...rows].map((row) => `${row}\n`).join(''));
}

function revoke(tokens: TokenStore, audit: AuditLog, id: string): void {
  if (tokens.revoke(id)) {
    audit.change(operator, undefined, 'token-revoked', { token: id });
    return;
  }
  process.stderr.write(`no token ${JSON.stringify(id)} exists\n`);
  process.exitCode = 1;
}

/** The members of these names that are set. */
function pick<T extends object, K extends keyof T>(
  source: T,
  names: readonly K[],
): { [N in K]?: Exclude<T[N], undefined> } {
  const entries = names.filter((name) => source[name] !== undefined).map((name) => [name, source[name]]);
  return Object.fromEntries(entries) as { [N in K]?: Exclude<T[N], undefined> };
}
