import type { GatewayClient, GatewayEvent, ListedOperation, Vm } from '@qmp-gateway/client';
import { pause } from './pause.js';
import { Signal } from './signal.js';

/** How the store stands to the gateway. */
export type Connection =
  /** The first list has not come yet. */
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** What is shown is of `since`; the client tries again by itself. */
  | { readonly kind: 'lost'; readonly since: Date; readonly why: string }
  /** The credentials are no longer taken: nothing is tried again. */
  | { readonly kind: 'refused'; readonly why: string };

/** Changes that were missed, until the reader has put the notice away. */
export interface MissedChanges {
  /** Null: of any VM. */
  readonly vm: string | null;
  /** Null where nobody knows how many. */
  readonly missed: number | null;
  readonly at: Date;
}

/** The used part of the client. */
export type FollowedGateway = Pick<GatewayClient, 'vms' | 'events'>;

/** Changes of so many milliseconds are shown together. */
const batchMs = 100;
/** Between two attempts after the list itself could not be read. */
const againMs = 2_000;
const followed = ['vm-changed', 'vm-removed', 'operation', 'gap'] as const;

/**
 * All VMs the caller sees, kept current from one list and the events after it. A gap in the events makes it read the list
 * anew, because rows may have become old unseen. It is the only place of the console that knows what VMs there are.
 */
export class VmStore {
  readonly changed = new Signal();
  /** In the order of ids; another array after each change. */
  rows: readonly Vm[] = [];
  connection: Connection = { kind: 'connecting' };
  missed: MissedChanges | undefined;
  readonly #vms = new Map<string, Vm>();
  readonly #operations = new Set<(vm: string, operation: ListedOperation) => void>();
  readonly #ending = new AbortController();
  #batch: ReturnType<typeof setTimeout> | undefined;
  /** Whether some came or went since the rows were put in order. */
  #isOrderOld = false;

  constructor(private readonly source: FollowedGateway) {}

  /** Follows the VMs until `close`. Resolves then. */
  async follow(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        const { vms, cursor } = await this.source.vms({ signal });
        this.#replaceAll(vms);
        this.#stands({ kind: 'live' });
        await this.#followFrom(cursor, signal);
      } catch (error) {
        if (this.#ending.signal.aborted) return;
        this.#lost(error);
        if (this.connection.kind === 'refused') return;
        await pause(againMs, signal);
      }
    }
  }

  /** @returns undefined for a VM that there is not, or not any more */
  vm(id: string): Vm | undefined {
    return this.#vms.get(id);
  }

  /** Hears each change of an operation. @returns how to stop that */
  onOperation(hear: (vm: string, operation: ListedOperation) => void): () => void {
    this.#operations.add(hear);
    return () => this.#operations.delete(hear);
  }

  /** The reader has seen what was missed. */
  forgetMissed(): void {
    this.missed = undefined;
    this.changed.tell();
  }

  close(): void {
    this.#ending.abort();
    clearTimeout(this.#batch);
    this.#vms.clear();
    this.rows = [];
  }

  async #followFrom(cursor: string, signal: AbortSignal): Promise<void> {
    const options = { after: cursor, event: followed, transport: 'websocket', signal } as const;
    const onConnection = (open: boolean, error?: unknown): void => {
      if (open) this.#stands({ kind: 'live' });
      else this.#lost(error);
    };
    for await (const event of this.source.events({ ...options, onConnection })) {
      if (event.event === 'gap') {
        this.missed = { ...event.data, at: new Date() };
        this.changed.tell();
        return;
      }
      this.#take(event);
    }
  }

  #take(event: GatewayEvent): void {
    if (event.event === 'vm-changed') {
      this.#isOrderOld ||= !this.#vms.has(event.data.id);
      this.#vms.set(event.data.id, event.data);
    } else if (event.event === 'vm-removed') this.#isOrderOld = this.#vms.delete(event.data.id) || this.#isOrderOld;
    else if (event.event === 'operation' && event.vm !== null)
      for (const hear of this.#operations) hear(event.vm, event.data);
    this.#showSoon();
  }

  #replaceAll(vms: readonly Vm[]): void {
    this.#vms.clear();
    for (const vm of vms) this.#vms.set(vm.id, vm);
    this.#isOrderOld = true;
    this.#show();
  }

  #showSoon(): void {
    this.#batch ??= setTimeout(() => this.#show(), batchMs);
  }

  #show(): void {
    clearTimeout(this.#batch);
    this.#batch = undefined;
    // Ten times a second while VMs change: they are sorted only where some came or went.
    this.rows = this.#isOrderOld
      ? [...this.#vms.values()].sort(byId)
      : this.rows.map((row) => this.#vms.get(row.id) ?? row);
    this.#isOrderOld = false;
    this.changed.tell();
  }

  #stands(connection: Connection): void {
    if (connection.kind === this.connection.kind) return;
    this.connection = connection;
    this.changed.tell();
  }

  #lost(error: unknown): void {
    const why = error instanceof Error ? error.message : 'the connection ended';
    if ((error as { status?: number } | undefined)?.status === 401) this.#stands({ kind: 'refused', why });
    else if (this.connection.kind !== 'lost') this.#stands({ kind: 'lost', since: new Date(), why });
  }
}

function byId(one: Vm, other: Vm): number {
  return one.id < other.id ? -1 : 1;
}
