import type { Display } from '@qmp-gateway/client';
import { useCallback, useEffect, useState } from 'react';
import { useGateway } from '../../api/use-gateway.js';

export interface DisplayState {
  /** The first that can be shown, or else the first. */
  readonly display?: Display | undefined;
  /** Why none can be shown live. */
  readonly why?: string | undefined;
  /** Makes it available where the VM was started with `-vnc none`. @throws Error of the client */
  readonly open: () => Promise<void>;
}

/** What the VM can be looked at by. @param epoch asked again for each session with the VM */
export function useDisplay(vm: string, epoch: string | null): DisplayState {
  const { client } = useGateway();
  const [found, setFound] = useState<Pick<DisplayState, 'display' | 'why'>>({});
  const look = useCallback(
    async (signal?: AbortSignal): Promise<void> => {
      try {
        const { displays, reason } = await client.vm(vm).displays({ signal });
        const display = displays.find(({ available }) => available) ?? displays[0];
        setFound({ display, why: display?.reason ?? reason ?? undefined });
      } catch (error) {
        if (signal?.aborted === true) return;
        setFound({ why: error instanceof Error ? error.message : String(error) });
      }
    },
    [client, vm],
  );
  useEffect(() => {
    const ending = new AbortController();
    setFound({});
    void look(ending.signal);
    return () => ending.abort();
  }, [look, epoch]);
  const id = found.display?.id;
  const open = useCallback(async () => {
    await client.vm(vm).display(id).open();
    await look();
  }, [client, vm, id, look]);
  return { ...found, open };
}
