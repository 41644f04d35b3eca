import { GatewayClient, type Grant } from '@qmp-gateway/client';
import { AccessMemory } from '../access/access-memory.js';
import { BrowserMemory } from '../app/browser-memory.js';
import { OutcomeList } from '../outcomes/outcome-list.js';
import { VmStore } from './vm-store.js';

/**
 * All that the console holds for one principal: client, VMs, outcomes, what it may do. A change of token closes it and makes
 * another, so that nothing of one principal is left for the next.
 */
export class GatewaySession {
  readonly client: GatewayClient;
  readonly vms: VmStore;
  readonly access: AccessMemory;
  readonly outcomes = new OutcomeList();
  /** What views keep in this browser; emptied when the session ends. */
  readonly memory = new BrowserMemory(sessionStorage);
  readonly #endings: (() => void)[] = [];

  /** @param token absent where the gateway asks for none */
  constructor(
    readonly url: string,
    readonly grant: Grant,
    readonly token: string | undefined,
  ) {
    this.client = new GatewayClient({ url, token });
    this.vms = new VmStore(this.client);
    this.access = new AccessMemory(this.client);
    void this.vms.follow();
  }

  /** Runs when the session ends. */
  onClose(ending: () => void): void {
    this.#endings.push(ending);
  }

  close(): void {
    for (const ending of this.#endings) ending();
    this.vms.close();
    this.outcomes.clear();
    this.memory.clear();
  }
}
