/** The part of `query-pci` that is used. Integers may be `bigint`. */
type Integer = bigint | number;

export interface PciDevice {
  readonly bus: Integer;
  readonly slot: Integer;
  readonly function: Integer;
  readonly qdev_id: string;
  readonly class_info: { readonly desc?: string; readonly class: Integer };
  readonly id: { readonly vendor: Integer; readonly device: Integer };
  readonly irq?: Integer;
  readonly pci_bridge?: { readonly devices?: readonly PciDevice[] };
}

export interface PciBus {
  readonly bus: Integer;
  readonly devices: readonly PciDevice[];
}

export interface PciRow {
  /** `00:1f.2`, as `lspci` writes it. */
  readonly address: string;
  /** How many bridges it is behind. */
  readonly depth: number;
  readonly what: string;
  /** `8086:2922` */
  readonly ids: string;
  /** Id of the device, empty for those of the machine. */
  readonly id: string;
  readonly irq: string;
}

/** Bridges that a bus may be behind; a schema has no bound. */
const deepest = 32;

/** All PCI devices, those behind a bridge below it. */
export function pciRows(buses: readonly PciBus[]): readonly PciRow[] {
  const rows: PciRow[] = [];
  const add = (devices: readonly PciDevice[], depth: number): void => {
    for (const device of devices) {
      rows.push(rowOf(device, depth));
      if (depth < deepest) add(device.pci_bridge?.devices ?? [], depth + 1);
    }
  };
  for (const { devices } of buses) add(devices, 0);
  return rows;
}

function rowOf(device: PciDevice, depth: number): PciRow {
  const { bus, slot, class_info: classInfo, id, qdev_id: qdevId, irq } = device;
  return {
    ...{ address: `${hex(bus, 2)}:${hex(slot, 2)}.${hex(device.function, 1)}`, depth, id: qdevId },
    what: classInfo.desc ?? `class ${hex(classInfo.class, 4)}`,
    ids: `${hex(id.vendor, 4)}:${hex(id.device, 4)}`,
    irq: irq === undefined ? '' : String(irq),
  };
}

function hex(value: Integer, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
