import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { cpioArchive, type CpioMember } from './cpio.js';

const [directory, file, characterDevice] = [0o040755, 0o100755, 0o020600];

/** In loading order; modules built into a kernel have no file. */
const modules = [
  ...['virtio_ring', 'virtio', 'virtio_pci_legacy_dev', 'virtio_pci_modern_dev', 'virtio_pci'],
  ...['failover', 'net_failover', 'virtio_net', 'virtio_balloon', 'virtio_console'],
  ...['llc', 'stp', 'garp', 'mrp', '8021q'],
];

/**
 * The guest's first process: starts the virtio devices, then serves commands on the second serial port. A line is a
 * shell command; its output comes back, then a line with its status. No echo, so that only answers come.
 */
const init = (loaded: readonly string[]) => `#!/bin/sh
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
${loaded.map((name) => `insmod /${name}.ko`).join('\n')}
ip link set lo up
# Ports of virtio-serial by their name.
mkdir -p /dev/virtio-ports
for port in /sys/class/virtio-ports/*; do
  [ -f "$port/name" ] && ln -s "/dev/\${port##*/}" "/dev/virtio-ports/$(cat "$port/name")"
done
stty raw -echo < /dev/ttyS1
exec < /dev/ttyS1 > /dev/ttyS1 2>&1
echo '${statusMark} 0'
while IFS= read -r line; do
  eval "$line"
  echo "${statusMark} $?"
done
`;

/** Prefix of the line that ends an answer. */
export const statusMark = '%status';

/**
 * An initramfs with a static busybox, the virtio and VLAN modules and an init.
 * @param kernelDirectory holds `vmlinuz` and its modules
 */
export function guestInitramfs(kernelDirectory: string, busybox: string): Buffer {
  const present = modules.filter((name) => existsSync(path.join(kernelDirectory, `${name}.ko`)));
  const members: CpioMember[] = [
    ...['dev', 'proc', 'sys', 'bin', 'tmp'].map((name) => ({ path: name, mode: directory })),
    { path: 'dev/console', mode: characterDevice, device: [5, 1] },
    { path: 'bin/busybox', mode: file, data: readFileSync(busybox) },
    { path: 'bin/sh', mode: 0o120777, data: Buffer.from('busybox') },
    { path: 'init', mode: file, data: Buffer.from(init(present)) },
    ...present.map((name) => ({
      path: `${name}.ko`,
      mode: file,
      data: readFileSync(path.join(kernelDirectory, `${name}.ko`)),
    })),
  ];
  return cpioArchive(members);
}
