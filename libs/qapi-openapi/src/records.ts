import type { JsonSchema } from './schema-keywords.js';

export const textSchema: JsonSchema = { type: 'string' };

/** An object whose members are all required but for those named in `optional`. */
export function record(properties: Record<string, JsonSchema>, optional: readonly string[] = []): JsonSchema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, ...(required.length > 0 && { required }) };
}
