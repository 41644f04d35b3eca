import { Alert, Bullseye, Spinner } from '@patternfly/react-core';
import type { ReactNode } from 'react';
import type { Answer } from '../api/use-answer.js';

interface AskedProps<T> {
  readonly answer: Answer<T>;
  /** What it is, for the reader: "The audit log". */
  readonly what: string;
  readonly children: (value: T) => ReactNode;
}

/** An answer of the gateway: while it is awaited, when it does not come, and when it is there. */
export function Asked<T>({ answer: { value, why }, what, children }: AskedProps<T>) {
  if (value === undefined && why === undefined)
    return (
      <Bullseye>
        <Spinner aria-label={`Loading: ${what}`} />
      </Bullseye>
    );
  return (
    <>
      {why === undefined ? null : (
        <Alert
          component="h2"
          isInline
          variant="warning"
          title={value === undefined ? `${what} cannot be shown` : `${what} is not current`}
        >
          <span className="qg-wrapped">{why}</span>
        </Alert>
      )}
      {value === undefined ? null : children(value)}
    </>
  );
}
