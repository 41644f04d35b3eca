import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ended: (() => Promise<void>)[] = [];

/** What a program is given, and which of its lines says that it is ready. */
interface StartOptions {
  readonly input?: string;
  /** Of Node itself. */
  readonly nodeArguments?: readonly string[];
  readonly line?: RegExp;
}

/** A process, and what it printed when it was ready. */
export interface Started {
  readonly process: ChildProcess;
  readonly line: string;
}

/** Starts a Node script of the benchmark, or the gateway. */
export function startScript(script: string, args: readonly string[], options: StartOptions = {}): Promise<Started> {
  return startProgram(
    process.execPath,
    [...(options.nodeArguments ?? []), fileURLToPath(new URL(script, import.meta.url)), ...args],
    options,
  );
}

/** Starts a program and resolves with its process and the first line it prints that matches. */
export async function startProgram(
  program: string,
  args: readonly string[],
  options: StartOptions = {},
): Promise<Started> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  ended.push(async () => {
    child.kill('SIGTERM');
    await gone;
  });
  child.stdin.end(options.input ?? '');
  for await (const line of createInterface({ input: child.stdout })) {
    const match = (options.line ?? /.+/).exec(line);
    if (match !== null) {
      child.stdout.resume();
      return { process: child, line: match[1] ?? match[0] };
    }
  }
  throw new Error(`${program} ${args.join(' ')} ended before it was ready`);
}

export interface BenchGateway {
  readonly port: number;
  /** Its other listener. */
  readonly unixListener: string;
  /** Where the sockets of shared monitors are, `ID.sock`, if it has them. */
  readonly monitors: string;
  readonly token: string;
  readonly pid: number;
}

interface GatewayOptions {
  readonly sharedMonitors?: boolean;
  readonly nodeArguments?: readonly string[];
  /** Besides its VMs. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/**
 * The built gateway as users start it, with everything on: tokens, policy, audit, metrics. It listens on tcp and on a unix
 * socket.
 */
export async function startGateway(
  vms: Readonly<Record<string, string>>,
  { sharedMonitors = false, nodeArguments = [], settings = {} }: GatewayOptions = {},
): Promise<BenchGateway> {
  const state = temporaryDirectory();
  const [unixListener, monitors] = [join(state, 'http.sock'), join(state, 'monitors')];
  const listen = ['--listen', '127.0.0.1:0', '--listen', `unix:${unixListener}`];
  const args = ['serve', ...listen, '--state', state, '--log-level', 'warn'];
  // A thousand VMs do not fit on a command line.
  const config = join(state, 'settings.json');
  const definitions = Object.entries(vms).map(([id, path]) => [id, { endpoint: `unix:${path}` }]);
  const vmSettings: unknown = Object.fromEntries(definitions);
  const monitorSettings = sharedMonitors ? { monitorSockets: { dir: monitors } } : {};
  writeFileSync(config, JSON.stringify({ vms: vmSettings, ...monitorSettings, ...settings }));
  const { process: child, line } = await startScript(
    '../../../apps/gateway/bin/qmp-gateway.js',
    [...args, '--config', config],
    { nodeArguments, line: /listening on http:\/\/127\.0\.0\.1:(\d+)/ },
  );
  const token = readFileSync(join(state, 'root.token'), 'utf8').trim();
  for (const id of Object.keys(vms)) {
    const response = await fetch(`http://127.0.0.1:${line}/v1/vms/${id}?wait=30s`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    const { state: vmState } = (await response.json()) as { state: string };
    if (vmState !== 'ready') throw new Error(`VM ${id} is ${vmState}`);
  }
  return { port: Number(line), unixListener, monitors, token, pid: child.pid ?? 0 };
}

/** User and system time of a process; /proc counts in hundredths of a second. */
export function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** A directory that is removed at the end. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'qmp-gateway-bench-'));
  ended.push(() => {
    rmSync(directory, { recursive: true });
    return Promise.resolve();
  });
  return directory;
}

/** Ends everything that was started, the last first. */
export async function stopAll(): Promise<void> {
  for (const stop of ended.reverse()) await stop();
  ended.length = 0;
}
