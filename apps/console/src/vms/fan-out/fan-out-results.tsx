import { Button, Label, Modal, ModalBody, ModalFooter, ModalHeader, Progress } from '@patternfly/react-core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { useGateway } from '../../api/use-gateway.js';
import type { PowerAction } from '../../vm/power/power-actions.js';
import { FanOutRun, type FanOutResult } from './fan-out-run.js';

interface FanOutResultsProps {
  readonly action: PowerAction;
  readonly ids: readonly string[];
  readonly onClose: () => void;
}

const words = { done: 'done', refused: 'refused', 'not-sent': 'not sent', unknown: 'outcome unknown' } as const;
const statuses = { done: 'success', refused: 'danger', 'not-sent': 'warning', unknown: 'warning' } as const;
const rank: Readonly<Record<FanOutResult['kind'], number>> = { unknown: 0, refused: 1, 'not-sent': 2, done: 3 };
const rowHeight = 40;

/** Runs it at once, and shows the result of each VM as it comes; what went wrong first. */
export function FanOutResults({ action, ids, onClose }: FanOutResultsProps) {
  const { client } = useGateway();
  const run = useMemo(() => new FanOutRun(client, action.command, ids), [client, action, ids]);
  useEffect(() => {
    void run.run();
    return () => run.stop();
  }, [run]);
  const results = useSyncExternalStore(run.changed.subscribe, () => run.results);
  const isOver = useSyncExternalStore(run.changed.subscribe, () => run.isOver);
  const sorted = useMemo(() => [...results].sort((one, other) => rank[one.kind] - rank[other.kind]), [results]);
  const failed = results.filter(({ kind }) => kind !== 'done').length;
  return (
    <Modal isOpen variant="medium" onClose={onClose} aria-labelledby="results-title">
      <ModalHeader title={`${action.title}: ${ids.length.toLocaleString()} VMs`} labelId="results-title" />
      <ModalBody>
        <Progress
          value={results.length}
          max={ids.length}
          title={isOver ? 'All have answered' : 'Waiting for answers'}
          label={`${results.length.toLocaleString()} of ${ids.length.toLocaleString()}${failed > 0 ? `, ${failed.toLocaleString()} not done` : ''}`}
          {...(isOver ? { variant: failed === 0 ? ('success' as const) : ('warning' as const) } : {})}
        />
        <ResultList results={sorted} />
      </ModalBody>
      <ModalFooter>
        <Button onClick={onClose}>{isOver ? 'Close' : 'Stop and close'}</Button>
      </ModalFooter>
    </Modal>
  );
}

function ResultList({ results }: { readonly results: readonly FanOutResult[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: results.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 10,
  });
  return (
    <div className="qg-results" ref={scroller} tabIndex={0} role="region" aria-label="Results">
      <ul style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const result = results[index];
          if (result === undefined) return null;
          const { vm, kind, detail } = result;
          return (
            <li key={vm} className="qg-result" style={{ transform: `translateY(${start}px)`, height: rowHeight }}>
              <Label status={statuses[kind]} isCompact variant="outline">
                {words[kind]}
              </Label>
              <span className="qg-result-vm">{vm}</span>
              <span className="qg-result-detail" title={detail}>
                {detail}
              </span>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
