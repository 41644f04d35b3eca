import { useEffect, useState } from 'react';
import { useGateway } from '../../api/use-gateway.js';
import { PictureTurns } from './picture-turns.js';

export interface ScreenPicture {
  /** Of a picture in this page. */
  readonly url?: string | undefined;
  /** Why there is none, or why it is not the newest. */
  readonly why?: string | undefined;
}

const turns = new PictureTurns();

/**
 * The VM's screen as a picture, taken again and again while the page is looked at.
 * @param everyMs from the end of one to the next
 * @param isWanted false: none is taken
 */
export function usePicture(vm: string, everyMs: number, isWanted: boolean): ScreenPicture {
  const { client } = useGateway();
  const [picture, setPicture] = useState<ScreenPicture>({});
  useEffect(() => {
    if (!isWanted) return;
    const ending = new AbortController();
    const { signal } = ending;
    let url: string | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const take = async (): Promise<void> => {
      if (document.visibilityState === 'visible')
        try {
          const bytes = await turns.run(() => client.vm(vm).screen({ signal }), signal);
          if (url !== undefined) URL.revokeObjectURL(url);
          url = URL.createObjectURL(new Blob([bytes], { type: 'image/png' }));
          setPicture({ url });
        } catch (error) {
          if (signal.aborted) return;
          setPicture({ url, why: error instanceof Error ? error.message : String(error) });
        }
      if (!signal.aborted) timer = setTimeout(() => void take(), everyMs);
    };
    void take();
    return () => {
      ending.abort();
      clearTimeout(timer);
      if (url !== undefined) URL.revokeObjectURL(url);
      setPicture({});
    };
  }, [client, vm, everyMs, isWanted]);
  return picture;
}
