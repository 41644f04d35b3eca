import { Progress, ProgressMeasureLocation, ProgressSize, Spinner } from '@patternfly/react-core';
import type { ListedOperation } from '@qmp-gateway/client';
import { useEffect, useState } from 'react';
import { byteRateText, bytesText, durationText, rateText } from '../units/quantities.js';
import { isOpen, percentOf, titleOf } from './operation-words.js';

/** How far an operation is, how fast, and when it may end. */
export function OperationProgress({ operation }: { readonly operation: ListedOperation }) {
  const { progress, state } = operation;
  const percent = percentOf(operation);
  const now = useNow(isOpen(operation));
  if (percent === undefined || progress === null)
    return isOpen(operation) ? (
      <span title="The VM does not say how far it is.">
        <Spinner size="sm" isInline aria-label="running" /> {durationText(now - Date.parse(operation.started))}
      </span>
    ) : (
      <span className="qg-second">{spent(operation)}</span>
    );
  return (
    <Progress
      value={percent}
      size={ProgressSize.sm}
      measureLocation={ProgressMeasureLocation.outside}
      title={progressWords(progress, isOpen(operation), now)}
      aria-label={`${titleOf(operation)} on ${operation.vm}`}
      label={`${Math.floor(percent)} %`}
      {...(state === 'failed'
        ? { variant: 'danger' as const }
        : state === 'done'
          ? { variant: 'success' as const }
          : {})}
      className="qg-operation-progress"
    />
  );
}

function progressWords(
  { current, total, rate, unit, estimatedEnd }: NonNullable<ListedOperation['progress']>,
  open: boolean,
  now: number,
): string {
  const amount = unit === 'bytes' ? `${bytesText(current)} of ${bytesText(total)}` : `${current} of ${total} steps`;
  if (!open) return amount;
  const speed = rate === null ? '' : unit === 'bytes' ? byteRateText(rate) : rateText(rate);
  const left = estimatedEnd === null ? '' : `about ${durationText(Math.max(0, Date.parse(estimatedEnd) - now))} left`;
  return [amount, speed, left].filter((part) => part !== '').join(' · ');
}

/** How long it took. */
function spent({ started, ended }: ListedOperation): string {
  return ended === null ? '' : durationText(Date.parse(ended) - Date.parse(started));
}

/** The time now, each second while it matters. */
function useNow(matters: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!matters) return;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [matters]);
  return now;
}
