import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Server } from './instant-servers.js';
import { startProgram } from './processes.js';

/** What others would put in front of a monitor: `test/bench/peers/LANGUAGE`. */
export interface Peer {
  readonly name: string;
  /** What it was built and runs with. */
  readonly toolchain: string;
  readonly start: (socketPath: string) => Promise<Server>;
}

/** A program and its arguments. */
type Command = readonly [string, ...string[]];

interface Recipe {
  readonly name: string;
  readonly language: string;
  /** Prints the version of the toolchain. */
  readonly version: Command;
  /** Commands that make the peer below `cache`, to be run one after the other where its sources are. */
  readonly build: (cache: string) => readonly Command[];
  /** The program, without its last argument, the path of the monitor's socket. */
  readonly program: (cache: string, sources: string) => Command;
}

/** A first build fetches and compiles everything that it needs. */
const buildDeadlineMs = 600_000;

const recipes: readonly Recipe[] = [
  {
    name: 'Rust: axum, no checks',
    language: 'rust',
    version: ['cargo', '--version'],
    build: (cache) => [['cargo', 'build', '--release', '--target-dir', cache]],
    program: (cache) => [join(cache, 'release', 'peer')],
  },
  {
    name: 'Go: net/http, go-qemu',
    language: 'go',
    version: ['go', 'version'],
    build: (cache) => [['go', 'build', '-o', join(cache, 'peer'), '.']],
    program: (cache) => [join(cache, 'peer')],
  },
  {
    name: 'Python: aiohttp, qemu.qmp',
    language: 'python',
    version: ['python3', '--version'],
    build: venv,
    program: (cache, sources) => [join(cache, 'bin', 'python'), join(sources, 'main.py')],
  },
  {
    // Built with the benchmark itself.
    name: 'Node.js: NestJS, Express',
    language: 'nest',
    version: [process.execPath, '--version'],
    build: () => [],
    program: (_, sources) => [process.execPath, join(sources, 'dist', 'main.js')],
  },
];

/** Commands that install what `requirements.txt` names, and nothing else, for Python. */
function venv(cache: string): readonly Command[] {
  const pip = join(cache, 'bin', 'pip');
  return [
    ['python3', '-m', 'venv', cache],
    [pip, 'install', '--disable-pip-version-check', '--no-deps', '-r', 'requirements.txt'],
  ];
}

/** Builds all that can be built here, in the user's cache, and says why the others cannot. */
export async function buildPeers(): Promise<{ peers: Peer[]; missing: string[] }> {
  const peers: Peer[] = [];
  const missing: string[] = [];
  for (const recipe of recipes) {
    const result = await build(recipe);
    if (typeof result === 'string') missing.push(`${recipe.name}: ${result}`);
    else peers.push(result);
  }
  return { peers, missing };
}

/** A program that is built here, not started. */
export interface BuiltProgram {
  readonly toolchain: string;
  readonly program: Command;
}

/** What others put in front of a VNC display. @returns what hinders it, if it cannot be built */
export async function buildWebsockify(): Promise<BuiltProgram | string> {
  const version: Command = ['python3', '--version'];
  const sources = fileURLToPath(new URL('../peers/websockify', import.meta.url));
  try {
    const toolchain = (await run(version, sources)).trim();
    const cache = cacheOf('websockify', toolchain);
    for (const step of venv(cache)) await run(step, sources);
    // It says that it is ready where errors go.
    return { toolchain, program: ['sh', '-c', 'exec "$0" "$@" 2>&1', join(cache, 'bin', 'websockify')] };
  } catch (error) {
    return reasonOf(error as BuildError);
  }
}

/** @returns what hinders it, if it cannot be built. */
async function build({ name, language, ...recipe }: Recipe): Promise<Peer | string> {
  const sources = fileURLToPath(new URL(`../peers/${language}`, import.meta.url));
  try {
    const toolchain = (await run(recipe.version, sources)).trim();
    const cache = cacheOf(language, toolchain);
    mkdirSync(cache, { recursive: true });
    for (const step of recipe.build(cache)) await run(step, sources);
    const [program, ...args] = recipe.program(cache, sources);
    return { name, toolchain, start: (socketPath) => start(program, [...args, socketPath]) };
  } catch (error) {
    return reasonOf(error as BuildError);
  }
}

/** One for each toolchain, as what one has built another may not understand. */
function cacheOf(language: string, toolchain: string): string {
  const caches = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return join(caches, 'qmp-gateway', 'bench-peers', language, toolchain.replace(/[^\w.]+/g, '-'));
}

/** @returns what it printed. */
async function run([program, ...args]: Command, cwd: string): Promise<string> {
  // Another release of Go is not fetched in place of one that is too old.
  const env = { ...process.env, GOTOOLCHAIN: 'local' };
  const options = { cwd, env, timeout: buildDeadlineMs, killSignal: 'SIGKILL' } as const;
  return (await promisify(execFile)(program, args, options)).stdout;
}

interface BuildError extends Error {
  readonly code?: string | number;
  readonly killed?: boolean;
  readonly stderr?: string;
}

function reasonOf({ code, killed, message, stderr = '' }: BuildError): string {
  if (code === 'ENOENT') return 'no toolchain here';
  if (killed === true) return `was not built in ${buildDeadlineMs / 60_000} minutes`;
  const lines = stderr.trim().split('\n');
  return `could not be built: ${(lines.find((line) => /error/i.test(line)) ?? lines.at(-1)) || message}`;
}

async function start(program: string, args: readonly string[]): Promise<Server> {
  const { process, line } = await startProgram(program, args, { line: /^\d+$/ });
  return { pid: process.pid ?? 0, address: Number(line) };
}
