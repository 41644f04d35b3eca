/**
 * Devices that VMs are given while they run. No command lists the drivers of a QEMU without loading all its modules
 * (`qom-list-types` does, and may end a QEMU whose files were updated), so Tab offers these; the VM decides.
 */
const perBus: Readonly<Record<string, readonly string[]>> = {
  pci: [
    ...[
      'balloon',
      'blk',
      'crypto',
      'gpu',
      'input-host',
      'iommu',
      'keyboard',
      'mem',
      'mouse',
      'net',
      'rng',
      'scsi',
      'serial',
    ],
    ...['sound', 'tablet', 'vga'],
  ],
  device: ['balloon', 'blk', 'crypto', 'gpu', 'keyboard', 'mouse', 'net', 'rng', 'scsi', 'serial', 'tablet'],
  ccw: ['balloon', 'blk', 'crypto', 'gpu', 'net', 'rng', 'scsi', 'serial'],
};
const withoutFirmware: ReadonlySet<string> = new Set(['virtio-vga-pci']);

const virtio = Object.entries(perBus)
  .flatMap(([bus, kinds]) => kinds.map((kind) => `virtio-${kind}-${bus}`))
  .filter((name) => !withoutFirmware.has(name));

/** Names of drivers for `device_add`, in order. */
export const deviceDrivers: readonly string[] = [
  ...virtio,
  ...['virtio-vga', 'virtconsole', 'virtserialport', 'vhost-user-blk-pci', 'vhost-user-fs-pci', 'vhost-vsock-pci'],
  ...[
    'scsi-hd',
    'scsi-cd',
    'scsi-block',
    'scsi-generic',
    'ide-hd',
    'ide-cd',
    'nvme',
    'nvme-ns',
    'megasas',
    'lsi53c895a',
  ],
  ...['e1000', 'e1000e', 'igb', 'rtl8139', 'vmxnet3', 'usb-net'],
  ...['usb-kbd', 'usb-mouse', 'usb-tablet', 'usb-storage', 'usb-uas', 'usb-host', 'usb-hub', 'usb-redir', 'usb-serial'],
  ...['nec-usb-xhci', 'qemu-xhci', 'piix3-usb-uhci', 'usb-ehci', 'pcie-root-port', 'pcie-pci-bridge', 'pci-bridge'],
  ...[
    'vfio-pci',
    'pc-dimm',
    'nvdimm',
    'isa-serial',
    'pci-serial',
    'tpm-tis',
    'i6300esb',
    'intel-hda',
    'hda-duplex',
    'ich9-ahci',
  ],
].sort();
