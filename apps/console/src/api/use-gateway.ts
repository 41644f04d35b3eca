import { createContext, useContext, useMemo, useSyncExternalStore } from 'react';
import type { Vm, VmClient } from '@qmp-gateway/client';
import type { GatewaySession } from './gateway-session.js';
import type { Connection, MissedChanges } from './vm-store.js';

export const GatewayContext = createContext<GatewaySession | undefined>(undefined);

/** The session of whoever is signed in. @throws outside of it */
export function useGateway(): GatewaySession {
  const session = useContext(GatewayContext);
  if (session === undefined) throw new Error('nobody is signed in');
  return session;
}

/** All VMs, in the order of ids. */
export function useVms(): readonly Vm[] {
  const { vms } = useGateway();
  return useSyncExternalStore(vms.changed.subscribe, () => vms.rows);
}

/** One VM as it is now; undefined where there is none of this id, or not any more. */
export function useVm(id: string): Vm | undefined {
  const { vms } = useGateway();
  return useSyncExternalStore(vms.changed.subscribe, () => vms.vm(id));
}

/** How the console stands to the gateway. */
export function useConnection(): Connection {
  const { vms } = useGateway();
  return useSyncExternalStore(vms.changed.subscribe, () => vms.connection);
}

/** Changes that were missed, until the reader has put the notice away. */
export function useMissedChanges(): MissedChanges | undefined {
  const { vms } = useGateway();
  return useSyncExternalStore(vms.changed.subscribe, () => vms.missed);
}

/** What sends requests to one VM; the same one as long as the VM is. */
export function useVmClient(id: string): VmClient {
  const { client } = useGateway();
  return useMemo(() => client.vm(id), [client, id]);
}
