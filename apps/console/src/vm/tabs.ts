import type { ComponentType } from 'react';

/** What every tab of a VM's page gets. It is mounted only while it is looked at. */
export interface VmTabProps {
  /** Id of the VM. That it exists is known; `useVm` may lose it at any time. */
  readonly vm: string;
}

/** One tab of a VM's page. */
export interface VmTab {
  /** In the address: `/console/vms/{vm}/{id}`. */
  readonly id: string;
  readonly title: string;
  /** Its code, fetched when it is first looked at. */
  readonly load: () => Promise<{ readonly default: ComponentType<VmTabProps> }>;
}

/** The tabs of a VM's page, in their order; the first is the one without a name in the address. */
export const vmTabs: readonly VmTab[] = [
  { id: 'overview', title: 'Overview', load: () => import('./overview/overview-tab.js') },
  { id: 'screen', title: 'Screen', load: () => import('./screen/screen-tab.js') },
  { id: 'serial', title: 'Serial', load: () => import('./serial/serial-tab.js') },
  { id: 'events', title: 'Events', load: () => import('./events/events-tab.js') },
  { id: 'operations', title: 'Operations', load: () => import('./operations/operations-tab.js') },
  { id: 'charts', title: 'Charts', load: () => import('./charts/charts-tab.js') },
  { id: 'agent', title: 'Guest agent', load: () => import('./agent/agent-tab.js') },
  { id: 'devices', title: 'Devices', load: () => import('./devices/devices-tab.js') },
  { id: 'blocks', title: 'Block graph', load: () => import('./blocks/blocks-tab.js') },
  { id: 'qom', title: 'Object tree', load: () => import('./qom/qom-tab.js') },
  { id: 'commands', title: 'Commands', load: () => import('./commands/commands-tab.js') },
];
