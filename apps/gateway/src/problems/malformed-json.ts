import { JsonSyntaxError } from '@qmp-gateway/qapi';
import { Problem } from './problem.js';

/** Converts a syntax error of the strict reader to a problem; returns any other error unchanged. */
export function malformedJson(error: unknown): unknown {
  if (!(error instanceof JsonSyntaxError)) return error;
  return new Problem('malformed-json', `${error.message} (offset ${error.offset})`);
}
