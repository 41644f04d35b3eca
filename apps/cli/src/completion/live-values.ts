import type { VmClient } from '@qmp-gateway/client';
import type { ValueSource } from './candidates.js';
import { deviceDrivers } from './device-drivers.js';

const lookMs = 2000;
const peripherals = '/machine/peripheral';

type Lookup = (vm: VmClient, signal: AbortSignal) => Promise<readonly string[]>;

const devices: Lookup = async (vm, signal) => {
  const { children = {} } = await vm.qomObject(peripherals, { values: 'none', signal });
  return Object.keys(children);
};
const blockNodes: Lookup = async (vm, signal) => {
  const nodes = await vm.query('query-named-block-nodes', { flat: true }, { signal });
  return nodes.map((node) => node['node-name']);
};
const jobs: Lookup = async (vm, signal) => (await vm.query('query-jobs', undefined, { signal })).map(({ id }) => id);
const drivers: Lookup = () => Promise.resolve(deviceDrivers);
const objects: Lookup = async (vm, signal) => {
  const { children = {} } = await vm.qomObject('/objects', { values: 'none', signal });
  return Object.keys(children);
};
const lines: Lookup = async (vm, signal) =>
  (await vm.query('query-chardev', undefined, { signal })).map(({ label }) => label);

/** What the VM has now, by command and key; each is one harmless query. */
const lookups: readonly (readonly [commands: RegExp, keys: RegExp, lookup: Lookup])[] = [
  [/^device_add$/, /^driver$/, drivers],
  [/^device-list-properties$/, /^typename$/, drivers],
  [/^device_del$/, /^id$/, devices],
  [/^object-del$/, /^id$/, objects],
  [/^chardev-/, /^id$/, lines],
  [/^job-/, /^id$/, jobs],
  [/^block-job-/, /^(?:device|id)$/, jobs],
  [
    /^(?:block|drive|nbd|blockdev|x-blockdev|device_add)/,
    /(?:^|\.)(?:node-name|device|drive|target|node|top-node|base-node|overlay|file)$/,
    blockNodes,
  ],
];

/** Values that Tab offers for a VM; nothing where it does not answer soon. */
export function liveValues(vm: VmClient): ValueSource {
  return async (command, key) => {
    const found = lookups.find(([commands, keys]) => commands.test(command) && keys.test(key));
    if (found === undefined) return [];
    try {
      return await found[2](vm, AbortSignal.timeout(lookMs));
    } catch {
      return [];
    }
  };
}
