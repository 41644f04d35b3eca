import type { Serial } from '@qmp-gateway/client';
import { useEffect, useState } from 'react';
import { useGateway } from '../../api/use-gateway.js';

export interface SerialsState {
  readonly serials?: readonly Serial[] | undefined;
  /** Why there are none. */
  readonly why?: string | undefined;
}

/** The serial lines of a VM. @param epoch asked again for each session with the VM */
export function useSerials(vm: string, epoch: string | null): SerialsState {
  const { client } = useGateway();
  const [found, setFound] = useState<SerialsState>({});
  useEffect(() => {
    const ending = new AbortController();
    const { signal } = ending;
    client
      .vm(vm)
      .serials({ signal })
      .then(
        ({ serials, reason }) => setFound({ serials, why: reason ?? undefined }),
        (error: unknown) => {
          // Lines that were found before stay: they come back with the VM.
          if (!signal.aborted)
            setFound((before) => ({ ...before, why: error instanceof Error ? error.message : String(error) }));
        },
      );
    return () => ending.abort();
  }, [client, vm, epoch]);
  return found;
}
