import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { useConnection, useGateway, useMissedChanges } from '../api/use-gateway.js';
import { OperationBook } from './operation-book.js';

/** The operations of a VM, or of all; read anew after a loss of the connection. */
export function useOperations(vm: string | undefined): OperationBook {
  const { client, vms } = useGateway();
  const { kind } = useConnection();
  const missed = useMissedChanges();
  const book = useMemo(() => new OperationBook(), [client, vm]);
  useEffect(
    () =>
      vms.onOperation((of, operation) => {
        if (vm === undefined || of === vm) book.hear(operation);
      }),
    [vms, vm, book],
  );
  useEffect(() => {
    if (kind === 'lost') return;
    const stop = new AbortController();
    const { signal } = stop;
    void book.read(async () =>
      vm === undefined ? (await client.operations({ signal })).operations : client.vm(vm).operations({ signal }),
    );
    return () => {
      book.close();
      stop.abort();
    };
  }, [client, vm, book, kind, missed]);
  useSyncExternalStore(book.changed.subscribe, () => book.rows);
  return book;
}
