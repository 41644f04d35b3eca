import type { VmClient, VmSchema } from '@qmp-gateway/client';
import type { KnownProperty } from '../../forms/form-context.js';
import { pciRows, type PciRow } from './pci-rows.js';

/** A device that was plugged in with an id, at the start or later. */
export interface PluggedDevice {
  readonly id: string;
  readonly type: string;
  readonly path: string;
}

export interface Devices {
  readonly plugged: readonly PluggedDevice[];
  /** Undefined where the VM has no PCI, or no command to list it. */
  readonly pci: readonly PciRow[] | undefined;
}

const peripherals = '/machine/peripheral';

/** Asks a VM for its devices, with those of the commands that it has. */
export async function askDevices(
  vm: VmClient,
  { commands }: Pick<VmSchema, 'commands'>,
  signal: AbortSignal,
): Promise<Devices> {
  const has = new Set(commands.map(({ name }) => name));
  const [plugged, pci] = await Promise.all([
    has.has('qom-list') ? askPlugged(vm, signal) : [],
    // A machine without PCI answers with an error.
    has.has('query-pci') ? vm.query('query-pci', undefined, { signal }).catch(() => undefined) : undefined,
  ]);
  return { plugged, pci: pci === undefined ? undefined : pciRows(pci) };
}

/** `query` and not `qomObject`: it is one command. */
async function askPlugged(vm: VmClient, signal: AbortSignal): Promise<readonly PluggedDevice[]> {
  const found = await vm.query('qom-list', { path: peripherals }, { signal }).catch((): [] => []);
  return found.flatMap(({ name, type }) => {
    const kind = /^child<(.*)>$/.exec(type)?.[1];
    return kind === undefined ? [] : [{ id: name, type: kind, path: `${peripherals}/${name}` }];
  });
}

/** Types of devices that can be plugged in, by name. */
export async function askDeviceTypes(vm: VmClient, signal: AbortSignal): Promise<readonly string[]> {
  const types = await vm.query('qom-list-types', { implements: 'device', abstract: false }, { signal });
  return types.map(({ name }) => name).sort();
}

/** The properties that devices of a type have. */
export async function askProperties(
  vm: VmClient,
  typename: string,
  signal: AbortSignal,
): Promise<readonly KnownProperty[]> {
  const found = await vm.query('device-list-properties', { typename }, { signal });
  return found.map(({ name, type, description }) => ({ name, type, description }));
}
