import { closed, oneOfTexts, scalars, type ArgumentShape } from './argument-shape.js';

/**
 * Devices that may be plugged below class `host`, and the properties that they may have.
 *
 * Both are allow-lists. Left out on purpose: `romfile` (reads a host file into the guest), `pcap` (writes one), `host`,
 * `sysfsdev`, `fd` and `path` (host devices), `scsi` of virtio-blk (passes SCSI commands to the host), all `x-`
 * properties, and every driver that represents something of the host (vfio, vhost, usb-host, scsi-generic, virtio-9p,
 * ivshmem, smart cards, MTP).
 */
const emulatedDrivers = oneOfTexts(
  ...['AC97', 'ES1370', 'bochs-display', 'e1000', 'e1000e', 'hda-duplex', 'hda-micro', 'hda-output', 'i6300esb'],
  ...['ich9-ahci', 'ich9-intel-hda', 'ich9-usb-ehci1', 'ich9-usb-uhci1', 'ich9-usb-uhci2', 'ich9-usb-uhci3'],
  ...['ide-cd', 'ide-hd', 'igb', 'intel-hda', 'ioh3420', 'lsi53c895a', 'megasas', 'megasas-gen2', 'mptsas1068'],
  ...['nec-usb-xhci', 'nvdimm', 'nvme', 'nvme-ns', 'pc-dimm', 'pci-bridge', 'pci-serial', 'pcie-pci-bridge'],
  ...['pcie-root-port', 'piix3-usb-uhci', 'pvpanic-pci', 'pvscsi', 'qemu-xhci', 'rtl8139', 'scsi-cd', 'scsi-hd'],
  ...['usb-audio', 'usb-bot', 'usb-ehci', 'usb-hub', 'usb-kbd', 'usb-mouse', 'usb-net', 'usb-redir', 'usb-serial'],
  ...['usb-storage', 'usb-tablet', 'usb-uas', 'usb-wacom-tablet', 'virtconsole', 'virtio-balloon-ccw'],
  ...['virtio-balloon-pci', 'virtio-blk-ccw', 'virtio-blk-pci', 'virtio-crypto-pci', 'virtio-gpu-pci'],
  ...['virtio-keyboard-pci', 'virtio-mem-pci', 'virtio-mouse-pci', 'virtio-multitouch-pci', 'virtio-net-ccw'],
  ...['virtio-net-pci', 'virtio-pmem-pci', 'virtio-rng-ccw', 'virtio-rng-pci', 'virtio-scsi-ccw', 'virtio-scsi-pci'],
  ...['virtio-serial-ccw', 'virtio-serial-pci', 'virtio-tablet-pci', 'virtserialport', 'vmxnet3'],
  ...['x3130-upstream', 'xio3130-downstream'],
);

/** Names that mean the same on every driver above and do not reach the host. Values are ids, numbers and switches. */
const emulatedProperties = scalars(
  ...['acpi-index', 'addr', 'aer', 'any_layout', 'ats', 'attached', 'audiodev', 'autonegotiation', 'bandwidth'],
  ...['block-size', 'bootindex', 'buffer', 'bus', 'bus-reserve', 'cad', 'channel', 'chardev', 'chassis'],
  ...['chassis_nr', 'cmb_size_mb', 'cmd_per_lun', 'config-wce', 'cryptodev', 'csum', 'ctrl_vq', 'cyls'],
  ...['deflate-on-oom', 'detached', 'device_id', 'disable-acs', 'disable-legacy', 'disable-modern', 'discard'],
  ...['discard_granularity', 'display', 'dpofua', 'drive', 'duplex', 'edid', 'emergency-write', 'eui64'],
  ...['event_idx', 'failover', 'failover_pair_id', 'free-page-hint', 'free-page-reporting', 'gso', 'guest_announce'],
  ...['guest_csum', 'guest_ecn', 'guest_tso4', 'guest_tso6', 'guest_ufo', 'guest_uso4', 'guest_uso6', 'hash'],
  ...['hba_serial', 'head', 'heads', 'host_ecn', 'host_mtu', 'host_tso4', 'host_tso6', 'host_ufo', 'host_uso'],
  ...['hotplug', 'id', 'indirect_desc', 'init-vet', 'intrs', 'io-reserve', 'ioeventfd', 'iommu_platform'],
  ...['iothread', 'label-size', 'lcyls', 'lheads', 'logical_block_size', 'lsecs', 'lun', 'mac', 'max-bytes'],
  ...['max-discard-sectors', 'max-write-zeroes-sectors', 'max_cmds', 'max_hostmem', 'max_io_size', 'max_ioqpairs'],
  ...['max_outputs', 'max_ports', 'max_sectors', 'max_sge', 'max_unmap_size', 'mdts', 'mem-reserve', 'memaddr'],
  ...['memdev', 'min_io_size', 'mixer', 'model', 'mq', 'mrg_rxbuf', 'msi', 'msix', 'msix_qsize', 'multi'],
  ...['multifunction', 'name', 'netdev', 'node', 'nr', 'nsid', 'num-queues', 'num_queues', 'opt_io_size', 'p2'],
  ...['p3', 'packed', 'page-per-vq', 'page-poison', 'period', 'physical_block_size', 'port', 'port_index'],
  ...['port_wwn', 'ports', 'prealloc', 'pref32-reserve', 'pref64-reserve', 'product', 'queue-size', 'queue_reset'],
  ...['removable', 'report-discard-granularity', 'request-merging', 'requested-size', 'rerror', 'rng', 'rombar'],
  ...['rotation_rate', 'rss', 'rx_queue_size', 'sas_address', 'scsi-id', 'scsi_version', 'secs', 'serial'],
  ...['share-rw', 'shared', 'shpc', 'size', 'slot', 'slots', 'speed', 'status', 'streams', 'subsys'],
  ...['tx_queue_size', 'unarmed', 'unit', 'unplugged-inaccessible', 'uuid', 'vectors', 'vendor', 'ver', 'vgamem'],
  ...['virtqueue_size', 'wakeup', 'werror', 'wheel-axis', 'write-cache', 'write-zeroes', 'wwn', 'xmax', 'xres'],
  ...['ymax', 'yres'],
);

/** vCPUs: the driver names a CPU model of the machine, the properties its place in the topology. */
const vcpu: ArgumentShape = closed(
  {
    driver: {
      like: /^[A-Za-z0-9_.-]+-(?:x86_64|i386|arm|aarch64|s390x|powerpc64|loongarch)(?:-spapr)?-cpu(?:-core)?$/,
    },
    ...scalars('id', 'apic-id', 'book-id', 'cluster-id', 'core-id', 'dedicated', 'die-id', 'drawer-id'),
    ...scalars('entitlement', 'module-id', 'node-id', 'socket-id', 'thread-id'),
  },
  'driver',
);

export const pluggableDevice: ArgumentShape = {
  anyOf: [closed({ ...emulatedProperties, driver: emulatedDrivers }, 'driver'), vcpu],
};

/**
 * StratoVirt inserts the values into a comma-separated option string, where a comma would inject further options
 * (`romfile`, `host`), so strings are further restricted there.
 */
const optionValue: ArgumentShape = { like: /^[^,\p{Cc}]*$/u };

export const pluggableStratovirtDevice: ArgumentShape = closed(
  {
    driver: oneOfTexts(
      ...['virtio-blk-pci', 'virtio-net-pci', 'virtio-scsi-pci', 'virtio-blk-device', 'virtio-net-device'],
      ...['virtio-blk-mmio', 'virtio-net-mmio', 'usb-kbd', 'usb-tablet', 'usb-storage', 'generic-x86-cpu'],
    ),
    ...Object.fromEntries(
      [
        ...['id', 'addr', 'bus', 'drive', 'mac', 'netdev', 'chardev', 'serial', 'iothread', 'mq'],
        ...['disable-modern', 'share-rw', 'vectors'],
      ].map((name) => [name, optionValue]),
    ),
    ...Object.fromEntries(
      ['lun', 'num-queues', 'boot_index', 'queue-size', 'cpu-id', 'multifunction'].map((name) => [name, 'unquoted']),
    ),
  },
  'driver',
);
