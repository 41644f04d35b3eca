import type { OnApplicationBootstrap } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

/** Hexadecimal digits: no two VMs of a gateway share them by chance, and paths of sockets are short. */
const nameDigits = 16;
/** The kernel's bound of an address, without its end. */
const longestPath = 107;

/**
 * The directory in which VMs open VNC sockets for the gateway: 0700, one socket for each VM, named after the VM's id, so
 * that the next gateway, and the next QEMU, use the same name.
 */
export class DisplaySockets implements OnApplicationBootstrap {
  constructor(private readonly directory: string) {}

  /** Removes the sockets of QEMUs that were killed. */
  onApplicationBootstrap(): void {
    if (!existsSync(this.directory)) return;
    for (const name of readdirSync(this.directory)) removeIfDead(join(this.directory, name));
  }

  /** Where a VM has its socket, whether it is there or not. */
  pathOf(vm: string): string {
    return join(this.directory, createHash('sha256').update(vm).digest('hex').slice(0, nameDigits));
  }

  /** The same, with the directory there. @returns undefined when the path is too long for a socket */
  place(vm: string): string | undefined {
    const path = this.pathOf(vm);
    if (Buffer.byteLength(path) > longestPath) return undefined;
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    return path;
  }
}

/** Only a refused connection means that nobody listens. */
function removeIfDead(path: string): void {
  const probe = connect(path);
  probe.once('connect', () => probe.destroy());
  probe.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNREFUSED') rmSync(path, { force: true });
  });
}
