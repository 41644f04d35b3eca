import type { Vm } from '@qmp-gateway/client';
import { useEffect, useState } from 'react';
import { useGateway } from '../../api/use-gateway.js';

/** What the VM says of itself; members are absent where it says nothing, or may not be asked. */
export interface Machine {
  readonly cpus?: number | undefined;
  /** Bytes. */
  readonly memory?: bigint | undefined;
}

/** Asked once for each session with the VM: neither changes often. */
export function useMachine({ id, state, epoch, runState }: Vm): Machine {
  const { client } = useGateway();
  const [machine, setMachine] = useState<Machine>({});
  // What has no run state is no machine.
  const isAsked = state === 'ready' && runState !== null;
  useEffect(() => {
    if (!isAsked) return;
    const ending = new AbortController();
    const { signal } = ending;
    const vm = client.vm(id);
    void Promise.allSettled([
      vm.query('query-cpus-fast', undefined, { signal }),
      vm.query('query-memory-size-summary', undefined, { signal }),
    ]).then(([cpus, memory]) => {
      if (signal.aborted) return;
      setMachine({
        cpus: cpus.status === 'fulfilled' ? cpus.value.length : undefined,
        memory:
          memory.status === 'fulfilled'
            ? memory.value['base-memory'] + (memory.value['plugged-memory'] ?? 0n)
            : undefined,
      });
    });
    return () => ending.abort();
  }, [client, id, epoch, isAsked]);
  return machine;
}
