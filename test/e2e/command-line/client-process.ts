import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Scene } from '@qmp-gateway/test-kit';
import type { GatewayProcess } from '../gateway-process.js';

export const clientLauncher = fileURLToPath(new URL('../../../apps/cli/bin/qmpctl.js', import.meta.url));

export interface ClientResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A home directory of its own, and what a user would export. */
export interface ClientHome {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
}

/** @param gateway that `QMPGW_URL` and `QMPGW_TOKEN` name */
export function clientHome(scene: Scene, gateway?: Pick<GatewayProcess, 'url' | 'token'>): ClientHome {
  const directory = scene.directory();
  return {
    directory,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: directory,
      TZ: 'UTC',
      LANG: 'C.UTF-8',
      ...(gateway === undefined ? {} : { QMPGW_URL: gateway.url, QMPGW_TOKEN: gateway.token ?? '' }),
    },
  };
}

/** Starts `qmpctl`; whoever starts it reads its streams. */
export function startClient(scene: Scene, home: ClientHome, args: readonly string[]): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [clientLauncher, ...args], { cwd: home.directory, env: home.env });
  // Who does not read its input to the end is no failure of ours.
  child.stdin.on('error', () => undefined);
  return scene.keep(child, () => child.kill('SIGKILL'));
}

/** The whole of what a client says, and its status. */
export async function ended(child: ChildProcessWithoutNullStreams): Promise<ClientResult> {
  const [stdout, stderr, [status]] = await Promise.all([
    buffer(child.stdout),
    buffer(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { status, stdout: stdout.toString(), stderr: stderr.toString() };
}

/** Runs `qmpctl` to its end. @param input its stdin */
export function runClient(scene: Scene, home: ClientHome, args: readonly string[], input = ''): Promise<ClientResult> {
  const child = startClient(scene, home, args);
  child.stdin.end(input);
  return ended(child);
}

export const inHome = ({ directory }: ClientHome, ...names: string[]): string => path.join(directory, ...names);
