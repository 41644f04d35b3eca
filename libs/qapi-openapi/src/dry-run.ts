import type { JsonSchema } from './schema-keywords.js';

/** Answer to a command with `dryRun`. */
export const dryRunSchema: JsonSchema = {
  type: 'object',
  description: 'Of a dry run: what would be sent. Nothing was.',
  properties: {
    wouldSend: { type: 'object', description: 'The message that would be sent, without its `id`' },
    class: {
      type: 'string',
      enum: ['read', 'operate', 'configure', 'host'],
      description: 'The level it needs, with these arguments',
    },
  },
  required: ['wouldSend', 'class'],
};

/** Component name of {@link dryRunSchema}. */
export const dryRunName = 'DryRun';
/** A reference to it, in a document that has it. */
export const dryRun: JsonSchema = { $ref: `#/components/schemas/${dryRunName}` };

/** The answer of a command that may return any value: that of a dry run is one. */
export const anyAnswer: JsonSchema = { description: 'Any JSON value; of a dry run a `DryRun`' };

/** The answer of a command, dry or not. */
export function orDryRun(returns: JsonSchema): JsonSchema {
  return Object.keys(returns).length === 0 ? anyAnswer : { anyOf: [returns, dryRun] };
}
