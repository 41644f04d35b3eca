import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { makeTempDir, removeTempDir } from '@qmp-gateway/test-kit';
import { schemaFaults } from './settings-schema.js';

const builtLauncher = fileURLToPath(new URL('../../apps/gateway/bin/qmp-gateway.js', import.meta.url));
const usualListen: readonly string[] = ['127.0.0.1:0'];
const startDeadlineMs = 30_000;
/** The gateway gives what is in flight 10 s. */
const stopDeadlineMs = 15_000;

export interface GatewayOptions {
  /** Flags after `serve`, e.g. `['--vm', 'a=unix:/run/a.qmp']`. */
  readonly args?: readonly string[];
  /** Addresses; default one free port of 127.0.0.1. An empty list leaves them to `settings`. */
  readonly listen?: readonly string[];
  /** The settings file. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Its limit of open files; default that of this process. */
  readonly openFiles?: number;
  /** Root's gateway is bound by the modes of files as others are. */
  readonly boundByModes?: boolean;
  /** A state directory that outlives this process; default one of its own, removed at the end. */
  readonly state?: string;
  /** Another build's `bin/qmp-gateway.js`; default this tree's. */
  readonly launcher?: string;
}

/** A running gateway: the built service, in a process and a directory of its own. */
export interface GatewayProcess {
  readonly process: ChildProcess;
  readonly state: string;
  /** Where it listens, in order, as its own lines say. */
  readonly addresses: readonly string[];
  /** The first of them that is HTTP; empty when there is none. */
  readonly url: string;
  /** Of level `host` for all VMs; undefined when this start made none and found none. */
  readonly token: string | undefined;
  /** Asks the gateway for a path below {@link url}, with the token unless `init` has an `Authorization` of its own. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Waits until the VM is in this state. @throws when it is not there within 30 s */
  vmBecomes(id: string, state: string): Promise<Record<string, unknown>>;
  /** Puts these in place of its settings file; SIGHUP is for the caller to send. */
  rewriteSettings(settings: Readonly<Record<string, unknown>>): void;
  /** Its log so far, a record per line of stderr. */
  log(): Record<string, unknown>[];
  readonly stderr: () => string;
  readonly ended: Promise<number | null>;
  /** Sends SIGTERM and resolves with the exit status: null when it had to be killed after 15 s. Removes the directory. */
  stop(): Promise<number | null>;
}

/**
 * Starts `qmp-gateway serve` and waits for its `listening on` lines. Needs the build.
 * @throws when it ends before that, or does not listen within 30 s; the message holds its stderr
 */
export async function startGateway(options: GatewayOptions = {}): Promise<GatewayProcess> {
  const { listen = usualListen, settings, launcher = builtLauncher } = options;
  const directory = makeTempDir();
  const places: Places = {
    directory,
    state: options.state ?? path.join(directory, 'state'),
    settingsFile: path.join(directory, 'settings.yaml'),
  };
  // YAML 1.2 holds all of JSON.
  const writeSettings = (content: object) => writeFileSync(places.settingsFile, JSON.stringify(content));
  if (settings !== undefined) writeSettings(settings);
  const service = new Service(spawnService(options, places), directory);
  const addresses = await service.listening(listen.length || countOf(settings?.['listen']));
  // Editors must not complain of settings that the gateway takes.
  const refused = launcher === builtLauncher ? schemaFaults(settings ?? {}) : [];
  if (refused.length > 0) {
    await service.abandon();
    throw new Error(`docs/settings.schema.json refuses settings that the gateway accepts: ${refused.join(', ')}`);
  }

  const url = addresses.find((address) => address.startsWith('http')) ?? '';
  const tokenFile = path.join(places.state, 'root.token');
  const token = existsSync(tokenFile) ? readFileSync(tokenFile, 'utf8').trim() : undefined;
  const fetchPath = fetchBelow(url, token);
  return {
    ...{ process: service.child, state: places.state, addresses, url, token, fetch: fetchPath },
    vmBecomes: (id, wanted) => vmBecomes(fetchPath, id, wanted),
    rewriteSettings: writeSettings,
    log: () => service.stderr.split('\n').flatMap(logRecord),
    stderr: () => service.stderr,
    ended: service.ended,
    stop: () => service.stop(),
  };
}

/** Where a gateway has its files. */
interface Places {
  readonly directory: string;
  readonly state: string;
  readonly settingsFile: string;
}

type ServiceProcess = ChildProcessByStdio<null, Readable, Readable>;

function spawnService(options: GatewayOptions, { directory, state, settingsFile }: Places): ServiceProcess {
  const { args = [], listen = usualListen, settings, env = {}, launcher = builtLauncher } = options;
  // `prlimit` and `setpriv` become what they start.
  const [command, ...before] = [
    ...(options.openFiles === undefined ? [] : ['prlimit', `--nofile=${options.openFiles}:${options.openFiles}`]),
    ...(options.boundByModes === true && process.getuid?.() === 0
      ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search']
      : []),
    process.execPath,
  ];
  const words = [
    ...before,
    launcher,
    'serve',
    ...['--state', state],
    ...(settings === undefined ? [] : ['--config', settingsFile]),
    ...listen.flatMap((address) => ['--listen', address]),
    ...args,
  ];
  return spawn(command, words, {
    ...{ cwd: directory, env: { ...inheritedEnvironment(), ...env } },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** The process of a gateway, and its directory, which is removed after it. */
class Service {
  readonly ended: Promise<number | null>;
  stderr = '';
  readonly #kill = (): void => void this.child.kill('SIGKILL');

  constructor(
    readonly child: ServiceProcess,
    private readonly directory: string,
  ) {
    process.once('exit', this.#kill);
    child.stderr.on('data', (text: Buffer) => (this.stderr += text.toString()));
    this.ended = new Promise((resolve) => child.once('close', resolve));
  }

  /** The addresses, as soon as it says so many. @throws when it does not; nothing is left of it then */
  async listening(expected: number): Promise<string[]> {
    try {
      return await this.#addresses(expected);
    } catch (error) {
      await this.abandon();
      throw new Error(`${String(error)}: ${this.stderr}`, { cause: error });
    }
  }

  async abandon(): Promise<void> {
    this.#kill();
    await this.ended;
    this.#removeAll();
  }

  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    const late = setTimeout(this.#kill, stopDeadlineMs);
    const status = await this.ended;
    clearTimeout(late);
    this.#removeAll();
    return status;
  }

  #addresses(expected: number): Promise<string[]> {
    let stdout = '';
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('the gateway does not listen')), startDeadlineMs);
      this.child.stdout.on('data', (text: Buffer) => {
        stdout += text.toString();
        const lines = [...stdout.matchAll(/^qmp-gateway listening on (.*)\n/gm)];
        if (lines.length < expected) return;
        clearTimeout(late);
        resolve(lines.map(([, address]) => address ?? ''));
      });
      this.child.once('close', (status) => {
        clearTimeout(late);
        reject(new Error(`the gateway ended with status ${String(status)}`));
      });
    });
  }

  #removeAll(): void {
    process.off('exit', this.#kill);
    removeTempDir(this.directory);
  }
}

function fetchBelow(url: string, token: string | undefined): GatewayProcess['fetch'] {
  return (resource, init = {}) => {
    const headers = new Headers(init.headers);
    if (token !== undefined && !headers.has('Authorization')) headers.set('Authorization', `Bearer ${token}`);
    return fetch(url + resource, { ...init, headers });
  };
}

/** Follows the VM's own events, so that no state between two looks is missed and nothing is polled. */
async function vmBecomes(get: GatewayProcess['fetch'], id: string, wanted: string): Promise<Record<string, unknown>> {
  const deadline = AbortSignal.timeout(startDeadlineMs);
  const list = (await (await get('/v1/vms', { signal: deadline })).json()) as {
    vms: Record<string, unknown>[];
    cursor: string;
  };
  let vm = list.vms.find((row) => row['id'] === id);
  let { cursor } = list;
  while (vm?.['state'] !== wanted) {
    const query = new URLSearchParams({ event: 'vm-changed', after: cursor, wait: '30s' });
    const answer = await get(`/v1/vms/${id}/events?${query.toString()}`, { signal: deadline });
    if (!answer.ok) throw new Error(`waiting for ${id} to be ${wanted}: ${await answer.text()}`);
    const page = (await answer.json()) as { events: { data: Record<string, unknown> }[]; cursor: string };
    vm = page.events.map(({ data }) => data).find(({ state }) => state === wanted) ?? vm;
    ({ cursor } = page);
  }
  return vm;
}

/** The environment without what would set the gateway up. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env);
  return Object.fromEntries(entries.filter(([name]) => !name.startsWith('QMPGW_') && name !== 'STATE_DIRECTORY'));
}

function countOf(listen: unknown): number {
  return Array.isArray(listen) ? listen.length : 1;
}

function logRecord(line: string): Record<string, unknown>[] {
  try {
    return [JSON.parse(line) as Record<string, unknown>];
  } catch {
    // The last line may not be whole yet, and settings faults are plain text.
    return [];
  }
}
