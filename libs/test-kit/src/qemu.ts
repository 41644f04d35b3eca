import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { makeTempDir, removeTempDir } from './temp-dir.js';

export interface QemuOptions {
  /** Default `none`: nothing but monitors. */
  readonly machine?: string;
  /** Default: KVM if `/dev/kvm` is usable and the machine is a real one, otherwise TCG. */
  readonly accel?: 'kvm' | 'tcg';
  /** Number of QMP monitors; default 1. */
  readonly qmpSockets?: number;
  /** Appended to the command line. */
  readonly args?: readonly string[];
  /** Default `qemu-system-x86_64`. */
  readonly binary?: string;
  /** Directory of its sockets; default: one of its own, removed at the end. */
  readonly directory?: string;
}

/** A QEMU process of a test. */
export interface Qemu {
  readonly process: ChildProcess;
  readonly directory: string;
  /** The paths of its QMP sockets. */
  readonly sockets: readonly string[];
  /** The first of them. */
  readonly socket: string;
  /** What it wrote to stderr. */
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
  /** Kills it and removes its directory. */
  stop(): Promise<void>;
}

/** Whether this process can use KVM on this host. */
export function hasKvm(): boolean {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The arguments of a QMP monitor on a unix socket that listens. */
export function monitorArguments(socketPath: string, index: number): string[] {
  const chardev = `socket,id=qmp${index},path=${socketPath},server=on,wait=off`;
  return ['-chardev', chardev, '-mon', `chardev=qmp${index},mode=control`];
}

/**
 * Starts a paused QEMU without devices and waits until its sockets exist.
 * @throws if it ends before that; the message contains its stderr.
 */
export async function launchQemu(options: QemuOptions = {}): Promise<Qemu> {
  const { machine = 'none', qmpSockets = 1, args = [], binary = 'qemu-system-x86_64' } = options;
  const accel = options.accel ?? (machine !== 'none' && hasKvm() ? 'kvm' : 'tcg');
  const directory = options.directory ?? makeTempDir();
  const sockets = Array.from({ length: qmpSockets }, (_, index) => path.join(directory, `qmp${index}`));
  const child = spawn(
    binary,
    [
      ...['-nodefaults', '-no-user-config', '-display', 'none', '-S', '-m', '64'],
      ...['-machine', machine === 'none' ? 'none' : `${machine},accel=${accel}`],
      ...args,
      // Last, as character devices are made in this order: when these sockets are there, those of `args` are.
      ...sockets.flatMap(monitorArguments),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  return await superviseProcess(child, directory, sockets, options.directory === undefined);
}

/** Wraps a process that will listen on these sockets in a `Qemu`; also for the storage daemon. */
export async function superviseProcess(
  child: ChildProcess,
  directory: string,
  sockets: readonly string[],
  removeDirectory: boolean,
): Promise<Qemu> {
  let stderr = '';
  child.stderr?.on('data', (text: Buffer) => (stderr += text.toString()));
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      stderr += error.message;
      resolve();
    });
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await ended;
    if (removeDirectory) removeTempDir(directory);
  };
  if (!(await listening(sockets, ended))) {
    await stop();
    throw new Error(`${child.spawnfile} ended at its start: ${stderr}`);
  }
  return {
    process: child,
    directory,
    sockets,
    socket: sockets[0] ?? '',
    stderr: () => stderr,
    kill: (signal) => void child.kill(signal),
    ended,
    stop,
  };
}

/**
 * Waits until all of them are listening; between bind and listen a server refuses connections.
 * @returns false if the process ended before that.
 */
async function listening(sockets: readonly string[], ended: Promise<void>): Promise<boolean> {
  const gone = ended.then(() => true);
  for (;;) {
    const tick = new Promise<false>((resolve) => setTimeout(() => resolve(false), 2));
    if (await Promise.race([gone, tick])) return false;
    if (sockets.every(isListening)) return true;
  }
}

/** According to the kernel: `/proc/net/unix` has flag 0x10000 (SO_ACCEPTCON) for a socket that listens. */
function isListening(socket: string): boolean {
  if (!existsSync(socket)) return false;
  const lines = readFileSync('/proc/net/unix', 'latin1').split('\n');
  return lines.some((line) => line.endsWith(` ${socket}`) && line.includes(' 00010000 '));
}
