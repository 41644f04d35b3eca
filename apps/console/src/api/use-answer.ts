import { useCallback, useEffect, useState } from 'react';
import { GatewayProblem } from '@qmp-gateway/client';
import { sentenceOf } from '../commands/run-command.js';

/** An answer of the gateway, kept while the next one is awaited. */
export interface Answer<T> {
  readonly value?: T | undefined;
  /** Why there is no newer one. */
  readonly why?: string | undefined;
  /** Asks anew now. */
  readonly again: () => void;
}

/**
 * Asks the gateway, and again every so often while the page is looked at.
 * @param ask kept by `useCallback`: another one is asked at once
 * @param everyMs absent: once
 */
export function useAnswer<T>(ask: (signal: AbortSignal) => Promise<T>, everyMs?: number): Answer<T> {
  const [state, setState] = useState<Pick<Answer<T>, 'value' | 'why'>>({});
  const [round, setRound] = useState(0);
  useEffect(() => {
    const ending = new AbortController();
    const { signal } = ending;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      if (document.visibilityState === 'visible')
        try {
          const value = await ask(signal);
          if (!signal.aborted) setState({ value });
        } catch (error) {
          if (!signal.aborted) setState((before) => ({ ...before, why: wordsOf(error) }));
        }
      if (!signal.aborted && everyMs !== undefined) timer = setTimeout(() => void look(), everyMs);
    };
    void look();
    return () => {
      ending.abort();
      clearTimeout(timer);
    };
  }, [ask, everyMs, round]);
  const again = useCallback(() => setRound((before) => before + 1), []);
  return { ...state, again };
}

/** What went wrong, for a reader. */
export function wordsOf(error: unknown): string {
  if (error instanceof GatewayProblem) return sentenceOf(error);
  return error instanceof Error ? error.message : String(error);
}
