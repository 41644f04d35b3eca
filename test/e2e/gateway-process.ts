import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeTempDir, removeTempDir } from '@qmp-gateway/test-kit';

const builtLauncher = fileURLToPath(new URL('../../apps/gateway/bin/qmp-gateway.js', import.meta.url));
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
  const { args = [], listen = ['127.0.0.1:0'], settings, env = {}, launcher = builtLauncher } = options;
  const directory = makeTempDir();
  const state = options.state ?? path.join(directory, 'state');
  const configFile = path.join(directory, 'settings.yaml');
  // YAML 1.2 holds all of JSON.
  if (settings !== undefined) writeFileSync(configFile, JSON.stringify(settings));
  // `prlimit` and `setpriv` become what they start.
  const [command, ...before] = [
    ...(options.openFiles === undefined ? [] : ['prlimit', `--nofile=${options.openFiles}:${options.openFiles}`]),
    ...(options.boundByModes === true && process.getuid?.() === 0
      ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search']
      : []),
    process.execPath,
  ];
  const child = spawn(
    command,
    [
      ...before,
      launcher,
      'serve',
      ...['--state', state],
      ...(settings === undefined ? [] : ['--config', configFile]),
      ...listen.flatMap((address) => ['--listen', address]),
      ...args,
    ],
    { cwd: directory, env: { ...inheritedEnvironment(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const removeAll = () => {
    process.off('exit', kill);
    removeTempDir(directory);
  };

  const addressesExpected = listen.length || countOf(settings?.['listen']);
  const listening = new Promise<string[]>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('the gateway does not listen')), startDeadlineMs);
    child.stdout.on('data', (text: Buffer) => {
      stdout += text.toString();
      const addresses = [...stdout.matchAll(/^qmp-gateway listening on (.*)\n/gm)].map(([, address]) => address ?? '');
      if (addresses.length < addressesExpected) return;
      clearTimeout(late);
      resolve(addresses);
    });
    child.once('close', (status) => {
      clearTimeout(late);
      reject(new Error(`the gateway ended with status ${String(status)}`));
    });
  });
  let addresses: string[];
  try {
    addresses = await listening;
  } catch (error) {
    kill();
    await ended;
    removeAll();
    throw new Error(`${String(error)}: ${stderr}`, { cause: error });
  }

  const url = addresses.find((address) => address.startsWith('http')) ?? '';
  const tokenFile = path.join(state, 'root.token');
  const token = existsSync(tokenFile) ? readFileSync(tokenFile, 'utf8').trim() : undefined;
  const fetchPath: GatewayProcess['fetch'] = (resource, init = {}) => {
    const headers = new Headers(init.headers);
    if (token !== undefined && !headers.has('Authorization')) headers.set('Authorization', `Bearer ${token}`);
    return fetch(url + resource, { ...init, headers });
  };
  return {
    process: child,
    state,
    addresses,
    url,
    token,
    fetch: fetchPath,
    vmBecomes: (id, wanted) => vmBecomes(fetchPath, id, wanted),
    rewriteSettings: (changed) => writeFileSync(configFile, JSON.stringify(changed)),
    log: () => stderr.split('\n').flatMap(logRecord),
    stderr: () => stderr,
    ended,
    stop: async () => {
      child.kill('SIGTERM');
      const late = setTimeout(kill, stopDeadlineMs);
      const status = await ended;
      clearTimeout(late);
      removeAll();
      return status;
    },
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
