import type { ListedOperation } from '@qmp-gateway/client';
import type { RowShape } from '../output/formats.js';
import { ageText, sizeText, spanText } from '../output/quantities.js';

/** How a list of operations is shown. */
export const operationRows: RowShape<ListedOperation> = {
  columns: [
    { title: 'ID', of: ({ id }) => id },
    { title: 'VM', of: ({ vm }) => vm, least: 10 },
    { title: 'COMMAND', of: ({ command, job }) => command ?? job?.type ?? 'job', least: 12 },
    { title: 'STATE', of: ({ state }) => state, colour: 'state' },
    { title: 'PROGRESS', of: ({ progress }) => percentText(progress) },
    { title: 'STARTED', of: ({ started }) => `${ageText(started)} ago`, align: 'right' },
    { title: 'ERROR', of: ({ error }) => error?.detail ?? '', least: 12 },
  ],
  name: ({ id }) => id,
  none: 'no operations',
};

function percentText(progress: ListedOperation['progress']): string {
  if (progress === null || progress.total === 0) return '';
  return `${Math.floor((100 * progress.current) / progress.total)} %`;
}

const barColumns = 24;

/** ActionOf that goes on, in one line: a bar, how much, how fast, how long still. */
export function progressText({ command, job, progress, state }: ListedOperation): string {
  const what = job?.id ?? command ?? 'work';
  if (progress === null || progress.total === 0) return `${what}: ${state}`;
  const { current, total, unit, rate, estimatedEnd } = progress;
  const share = Math.min(1, current / total);
  const filled = Math.round(share * barColumns);
  const amount = unit === 'bytes' ? `${sizeText(current)} of ${sizeText(total)}` : `${current} of ${total}`;
  const speed =
    rate === null || rate === 0 ? '' : `  ${unit === 'bytes' ? sizeText(rate) : String(Math.round(rate))}/s`;
  const left = estimatedEnd === null ? '' : `  ${spanText(Date.parse(estimatedEnd) - Date.now())} left`;
  const percent = String(Math.floor(100 * share)).padStart(3);
  return `${what} ${percent} % [${'='.repeat(filled)}${' '.repeat(barColumns - filled)}] ${amount}${speed}${left}`;
}
