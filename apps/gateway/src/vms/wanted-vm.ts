import type { VmDefinition } from '../settings/vm-definition.js';

/** Who says that there is a VM. */
export type VmSource = 'settings' | 'api' | 'discovery';

/** How a VM should be here. */
export interface WantedVm {
  readonly source: VmSource;
  readonly definition: VmDefinition;
  /** Under which this node may dial it, where several name its endpoint. */
  readonly lease?: number | undefined;
}
