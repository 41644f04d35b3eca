import { asObjects, asText, parsedJson } from '@qmp-gateway/qmp';
import type { Ask } from '../access/policy/own-monitor.js';

/** A device of a VM that a serial line ends in. */
export interface SerialDevice {
  /** Label of its character device. */
  readonly chardev: string;
  /** Its path in the object tree. */
  readonly path: string;
  readonly type: string;
  /** A program of the guest, not a console, is at its other end: others may want to speak with that program. */
  readonly isPort: boolean;
}

const port = 'virtserialport';

/** Devices that are serial lines, by their types, with the properties that name their character devices. */
const serialTypes: ReadonlyMap<string, readonly string[]> = new Map([
  ...[
    ...['isa-serial', 'pci-serial', 'usb-serial', 'virtconsole', port, 'pl011', 'pl011_luminary', 'serial-mm'],
    ...['spapr-vty', 'sclpconsole', 'sclplmconsole', 'cadence_uart', 'imx.serial', 'exynos4210.uart'],
    ...['cmsdk-apb-uart', 'stm32f2xx-usart', 'riscv.sifive.uart', 'xlnx.xps-uartlite', 'goldfish_tty', 'mcf-uart'],
    ...['nrf51_soc.uart', 'grlib,apbuart', 'isa-debugcon'],
  ].map((type): [string, string[]] => [type, ['chardev']]),
  ['pci-serial-2x', ['chardev1', 'chardev2']],
  ['pci-serial-4x', ['chardev1', 'chardev2', 'chardev3', 'chardev4']],
]);

/**
 * Ports whose other end in the guest is an agent with a protocol of its own, which is commands of the host's: whoever
 * types there is the host.
 */
const agents = /^(?:org\.qemu\.guest_agent|com\.redhat\.spice|org\.spice-space|org\.libguestfs|com\.redhat\.rhevm)/;

/** Where devices are: with an id, without one, and those of the board. */
const places = ['/machine/peripheral', '/machine/peripheral-anon', '/machine/unattached'];
/** Serial devices that are asked about: a machine has a handful, and each costs a question. */
const mostDevices = 64;
/** Longer names of objects are nobody's. */
const longestName = 200;

/** Which devices of a VM are serial lines, and on which character devices. */
export async function findSerialDevices(ask: Ask): Promise<SerialDevice[]> {
  const objects: { path: string; type: string }[] = [];
  for (const place of places) {
    const listed = await ask('qom-list', JSON.stringify({ path: place }));
    for (const { name, type } of listed === undefined ? [] : (asObjects(parsedJson(listed)) ?? [])) {
      const [, device = ''] = /^child<(.*)>$/.exec(asText(type) ?? '') ?? [];
      const id = asText(name) ?? '';
      if (serialTypes.has(device) && id.length <= longestName) objects.push({ path: `${place}/${id}`, type: device });
    }
  }
  const devices: SerialDevice[] = [];
  for (const { path, type } of objects.slice(0, mostDevices)) {
    const get = (property: string) => textProperty(ask, path, property);
    const isPort = type === port;
    if (isPort && agents.test((await get('name')) ?? '')) continue;
    for (const property of serialTypes.get(type) ?? []) {
      const chardev = await get(property);
      if (chardev !== undefined && chardev !== '') devices.push({ chardev, path, type, isPort });
    }
  }
  return devices;
}

async function textProperty(ask: Ask, path: string, property: string): Promise<string | undefined> {
  const value = await ask('qom-get', JSON.stringify({ path, property }));
  return value === undefined ? undefined : asText(parsedJson(value));
}
