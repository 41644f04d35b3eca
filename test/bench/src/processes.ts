import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ended: (() => Promise<void>)[] = [];

/** Starts a Node script and resolves with its process and the first line it prints that matches. */
export async function startScript(
  script: string,
  args: readonly string[],
  options: { input?: string; line?: RegExp } = {},
): Promise<{ process: ChildProcess; line: string }> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(options.input ?? '');
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  ended.push(async () => {
    child.kill('SIGTERM');
    await gone;
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const match = (options.line ?? /.+/).exec(line);
    if (match !== null) {
      child.stdout.resume();
      return { process: child, line: match[1] ?? match[0] };
    }
  }
  throw new Error(`${script} ended before it was ready`);
}

export interface BenchGateway {
  readonly port: number;
  readonly token: string;
  readonly pid: number;
}

/** The built gateway as users start it, with everything on: tokens, policy, audit, metrics. */
export async function startGateway(vms: Readonly<Record<string, string>>): Promise<BenchGateway> {
  const state = mkdtempSync(join(tmpdir(), 'qmp-gateway-bench-'));
  ended.push(() => {
    rmSync(state, { recursive: true });
    return Promise.resolve();
  });
  const args = ['serve', '--listen', '127.0.0.1:0', '--state', state, '--log-level', 'warn'];
  // A thousand VMs do not fit on a command line.
  const config = join(state, 'settings.json');
  const definitions = Object.entries(vms).map(([id, path]) => [id, { endpoint: `unix:${path}` }]);
  writeFileSync(config, JSON.stringify({ vms: Object.fromEntries(definitions) as unknown }));
  const { process: child, line } = await startScript(
    '../../../apps/gateway/bin/qmp-gateway.js',
    [...args, '--config', config],
    { line: /listening on http:\/\/127\.0\.0\.1:(\d+)/ },
  );
  const token = readFileSync(join(state, 'root.token'), 'utf8').trim();
  for (const id of Object.keys(vms)) {
    const response = await fetch(`http://127.0.0.1:${line}/v1/vms/${id}?wait=30s`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    const { state: vmState } = (await response.json()) as { state: string };
    if (vmState !== 'ready') throw new Error(`VM ${id} is ${vmState}`);
  }
  return { port: Number(line), token, pid: child.pid ?? 0 };
}

/** User and system time of a process; /proc counts in hundredths of a second. */
export function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Ends everything that was started, the last first. */
export async function stopAll(): Promise<void> {
  for (const stop of ended.reverse()) await stop();
  ended.length = 0;
}
