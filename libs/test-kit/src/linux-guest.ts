import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { homedir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { guestInitramfs, statusMark } from './guest-initramfs.js';
import { launchQemu, type Qemu } from './qemu.js';
import { RawQmpClient } from './raw-qmp-client.js';
import { makeTempDir, removeTempDir } from './temp-dir.js';

export interface LinuxGuestOptions {
  /** Directory of `vmlinuz` and its modules; default: where `scripts/guest-kernel.sh` puts them. */
  readonly kernelDirectory?: string;
  /** A static busybox; default `/bin/busybox`. */
  readonly busybox?: string;
  /** Appended to QEMU's command line. */
  readonly args?: readonly string[];
}

/** A booted Linux with a network interface (`net0`), a balloon (`balloon0`) and a virtio-serial port (`port0`). */
export interface LinuxGuest {
  readonly qemu: Qemu;
  /** The QMP socket without a client. */
  readonly socket: string;
  /** Runs a shell command in the guest and returns its output. @throws if it fails; one at a time */
  run(command: string): Promise<string>;
  stop(): Promise<void>;
}

/** The expected directory of the guest's kernel: see `scripts/guest-kernel.sh`. */
export function guestKernelDirectory(): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache');
  return process.env['QMPGW_GUEST_KERNEL'] ?? path.join(cache, 'qmp-gateway/guest-kernel');
}

const bootDeadlineMs = 90_000;
const mebibytes = '160';

/**
 * Boots a real Linux in a QEMU without KVM and waits until it accepts commands, which takes some 3 s.
 * @throws with the guest's console if it does not start
 */
export async function bootLinuxGuest(options: LinuxGuestOptions = {}): Promise<LinuxGuest> {
  const kernel = options.kernelDirectory ?? guestKernelDirectory();
  if (!existsSync(path.join(kernel, 'vmlinuz')))
    throw new Error(`no kernel for the guest in ${kernel}: run scripts/guest-kernel.sh`);
  const directory = makeTempDir();
  const initramfs = path.join(directory, 'initramfs');
  const consoleLog = path.join(directory, 'console');
  const serial = path.join(directory, 'serial');
  writeFileSync(initramfs, guestInitramfs(kernel, options.busybox ?? '/bin/busybox'));
  const qemu = await launchQemu({
    machine: 'pc',
    // It starts in seconds, and on some hosts KVM starts no kernel.
    accel: 'tcg',
    qmpSockets: 2,
    directory,
    args: [
      ...['-m', mebibytes, '-kernel', path.join(kernel, 'vmlinuz'), '-initrd', initramfs],
      ...['-append', 'console=ttyS0 panic=-1 quiet', '-serial', `file:${consoleLog}`],
      ...['-chardev', `socket,id=serial1,path=${serial},server=on,wait=off`, '-serial', 'chardev:serial1'],
      // A network without other hosts.
      ...['-netdev', 'hubport,id=hub0,hubid=0', '-device', 'virtio-net-pci,id=net0,netdev=hub0,mac=52:54:00:00:00:01'],
      ...['-device', 'virtio-balloon-pci,id=balloon0', '-device', 'virtio-serial-pci,id=serial0'],
      ...['-chardev', `socket,id=port0,path=${path.join(directory, 'port0')},server=on,wait=off`],
      ...['-device', 'virtserialport,id=port0,chardev=port0,name=port0'],
      ...(options.args ?? []),
    ],
  });
  let socket: Socket | undefined;
  const stop = async (): Promise<void> => {
    socket?.destroy();
    await qemu.stop();
    removeTempDir(directory);
  };
  try {
    // Its monitor speaks when all its sockets are there.
    const monitor = await RawQmpClient.connect(qemu.sockets[1] ?? '');
    await monitor.negotiate();
    socket = connect(serial);
    const shell = new GuestShell(socket);
    const ready = shell.answer();
    await once(socket, 'connect');
    await monitor.command('{"execute":"cont"}');
    monitor.close();
    await withDeadline(ready, bootDeadlineMs);
    return { qemu, socket: qemu.socket, run: (command) => shell.run(command), stop };
  } catch (error) {
    const said = existsSync(consoleLog) ? readFileSync(consoleLog, 'latin1') : '';
    await stop();
    throw new Error(`the guest did not come up: ${String(error)}; its console: ${said}`, { cause: error });
  }
}

/** The shell behind the guest's second serial port. */
class GuestShell {
  readonly #socket: Socket;
  readonly #lines: AsyncIterator<string>;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    this.#lines = createInterface({ input: socket, crlfDelay: Infinity })[Symbol.asyncIterator]();
  }

  async run(command: string): Promise<string> {
    this.#socket.write(`${command.replaceAll('\n', '; ')}\n`);
    return this.answer();
  }

  async answer(): Promise<string> {
    const lines: string[] = [];
    for (;;) {
      const next = await this.#lines.next();
      if (next.done === true) throw new Error('the guest ended');
      const { value } = next;
      if (value.startsWith(`${statusMark} `)) {
        if (value === `${statusMark} 0`) return lines.join('\n');
        throw new Error(`${value}: ${lines.join('\n')}`);
      }
      lines.push(value);
    }
  }
}

async function withDeadline<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing within ${milliseconds / 1000} s`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
