import { CheckCircleIcon } from '@patternfly/react-icons/dist/esm/icons/check-circle-icon.js';
import { ExclamationCircleIcon } from '@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon.js';
import { ExclamationTriangleIcon } from '@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon.js';
import { InfoCircleIcon } from '@patternfly/react-icons/dist/esm/icons/info-circle-icon.js';
import type { ComponentType } from 'react';
import type { Status } from '../vm/state/state-words.js';

interface RowLabelProps {
  readonly text: string;
  /** On hover: the text in full, or what it means. */
  readonly title: string;
  /** Of a state: its colour and sign. Absent: a plain label. */
  readonly status?: Status;
}

const icons: Readonly<Record<Exclude<Status, 'custom'>, ComponentType>> = {
  success: CheckCircleIcon,
  info: InfoCircleIcon,
  warning: ExclamationTriangleIcon,
  danger: ExclamationCircleIcon,
};

/**
 * A label of the component library for rows that come and go with the wheel. The library's own measures itself when it is
 * drawn, and the browser has to lay out the page once for each of them.
 */
export function RowLabel({ text, title, status }: RowLabelProps) {
  const look = status === undefined ? 'pf-m-filled' : `pf-m-outline pf-m-${status}`;
  const Icon = status === undefined || status === 'custom' ? undefined : icons[status];
  return (
    <span className={`pf-v6-c-label pf-m-compact ${look}`} title={title}>
      <span className="pf-v6-c-label__content">
        {Icon === undefined ? null : (
          <span className="pf-v6-c-label__icon">
            <Icon />
          </span>
        )}
        <span className="pf-v6-c-label__text">{text}</span>
      </span>
    </span>
  );
}
