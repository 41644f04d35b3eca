import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Scene } from '@qmp-gateway/test-kit';

const launcher = fileURLToPath(new URL('../../apps/gateway/bin/qmp-gateway.js', import.meta.url));

export interface CommandLineResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `qmp-gateway` to its end, in a directory of its own. Needs the build. */
export async function qmpGateway(
  scene: Scene,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandLineResult> {
  const child = spawn(process.execPath, [launcher, ...args], {
    cwd: scene.directory(),
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  scene.keep(child, () => child.kill('SIGKILL'));
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { status, stdout, stderr };
}
