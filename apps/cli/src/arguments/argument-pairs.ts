import { usageFault } from '../exit-status.js';

/** `key=value`, or `key:=JSON`. */
export interface ArgumentPair {
  /** As it was typed. */
  readonly key: string;
  readonly value: string;
  /** The value is JSON, whatever the model says. */
  readonly isJson: boolean;
}

/** Reads one word of the command line. @throws CliFault */
export function readPair(word: string): ArgumentPair {
  const at = word.indexOf('=');
  if (at < 1 || word.startsWith(':='))
    throw usageFault(`${JSON.stringify(word)} is no argument`, 'write key=value, or key:=JSON');
  const isJson = word[at - 1] === ':';
  return { key: word.slice(0, isJson ? at - 1 : at), value: word.slice(at + 1), isJson };
}
