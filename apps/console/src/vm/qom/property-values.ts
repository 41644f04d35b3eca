import { writeJson } from '@qmp-gateway/client';
import { useCallback, useEffect, useState } from 'react';
import { wordsOf } from '../../api/use-answer.js';
import { useGateway } from '../../api/use-gateway.js';

/** A value that was read, as JSON, or why it was not. */
export type ReadValue = { readonly text: string } | { readonly why: string };

/** Values of an object's properties by name, those that were asked for. */
export function usePropertyValues(
  vm: string,
  path: string,
): {
  readonly values: ReadonlyMap<string, ReadValue>;
  /** Reads these one after the other, as a getter may hold the VM's main loop; ends when the view does. */
  readonly read: (...names: readonly string[]) => Promise<void>;
} {
  const { client } = useGateway();
  const [values, setValues] = useState<ReadonlyMap<string, ReadValue>>(new Map());
  const [ending] = useState(() => ({ current: new AbortController() }));
  useEffect(() => {
    ending.current = new AbortController();
    return () => ending.current.abort();
  }, [ending]);
  const read = useCallback(
    async (...names: readonly string[]) => {
      const { signal } = ending.current;
      for (const property of names) {
        if (signal.aborted) return;
        const value = await client
          .vm(vm)
          .query('qom-get', { path, property }, { signal })
          .then(
            (found): ReadValue => ({ text: writeJson(found) ?? '' }),
            (error: unknown): ReadValue => ({ why: wordsOf(error) }),
          );
        setValues((before) => new Map([...before, [property, value]]));
      }
    },
    [client, vm, path, ending],
  );
  return { values, read };
}
