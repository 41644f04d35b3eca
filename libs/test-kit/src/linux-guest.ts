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
  /** Holds `vmlinuz` and its modules; default where `scripts/guest-kernel.sh` puts them. */
  readonly kernelDirectory?: string;
  /** A busybox that needs no libraries; default `/bin/busybox`. */
  readonly busybox?: string;
  /** Appended to QEMU's command line. */
  readonly args?: readonly string[];
}

/** A booted Linux with a network interface (`net0`), a balloon (`balloon0`) and a virtio-serial port (`port0`). */
export interface LinuxGuest {
  readonly qemu: Qemu;
  /** The QMP socket nobody holds. */
  readonly socket: string;
  /** Runs a shell command in the guest and returns what it printed. @throws when it fails; one at a time */
  run(command: string): Promise<string>;
  stop(): Promise<void>;
}

/** Where the guest's kernel is expected: see `scripts/guest-kernel.sh`. */
export function guestKernelDirectory(): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache');
  return process.env['QMPGW_GUEST_KERNEL'] ?? path.join(cache, 'qmp-gateway/guest-kernel');
}

const bootDeadlineMs = 90_000;
const mebibytes = '160';

/**
 * Boots a real Linux in a QEMU without KVM and waits until it takes commands, which takes some 3 s.
 * @throws with the guest's console when it does not come up
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
    // It is up in seconds, and there are hosts whose KVM starts no kernel.
    accel: 'tcg',
    qmpSockets: 2,
    directory,
    args: [
      ...['-m', mebibytes, '-kernel', path.join(kernel, 'vmlinuz'), '-initrd', initramfs],
      ...['-append', 'console=ttyS0 panic=-1 quiet', '-serial', `file:${consoleLog}`],
      ...['-chardev', `socket,id=serial1,path=${serial},server=on,wait=off`, '-serial', 'chardev:serial1'],
      // A network with nobody else in it.
      ...['-netdev', 'hubport,id=hub0,hubid=0', '-device', 'virtio-net-pci,id=net0,netdev=hub0,mac=52:54:00:00:00:01'],
      ...['-device', 'virtio-balloon-pci,id=balloon0', '-device', 'virtio-serial-pci,id=serial0'],
      ...['-chardev', `socket,id=port0,path=${path.join(directory, 'port0')},server=on,wait=off`],
      ...['-device', 'virtserialport,id=port0,chardev=port0,name=port0'],
      ...(options.args ?? []),
    ],
  });
  const socket = connect(serial);
  const stop = async (): Promise<void> => {
    socket.destroy();
    await qemu.stop();
    removeTempDir(directory);
  };
  try {
    const shell = new GuestShell(socket);
    const ready = shell.answer();
    await once(socket, 'connect');
    await start(qemu.sockets[1] ?? '');
    await withDeadline(ready, bootDeadlineMs);
    return { qemu, socket: qemu.socket, run: (command) => shell.run(command), stop };
  } catch (error) {
    const said = existsSync(consoleLog) ? readFileSync(consoleLog, 'latin1') : '';
    await stop();
    throw new Error(`the guest did not come up: ${String(error)}; its console: ${said}`, { cause: error });
  }
}

/** Lets the machine run, by a monitor that is left to nobody afterwards. */
async function start(monitor: string): Promise<void> {
  const client = await RawQmpClient.connect(monitor);
  await client.negotiate();
  await client.command('{"execute":"cont"}');
  client.close();
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
