/** The keywords of JSON Schema 2020-12 (and of OpenAPI 3.1 on top) that these documents use. */
export interface JsonSchema {
  $schema?: string;
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  type?: string | string[];
  /** Of OpenAPI 3.0, which has no type `null`. */
  nullable?: boolean;
  /** Of OpenAPI 3.0, in place of `examples`. */
  example?: unknown;
  format?: string;
  description?: string;
  deprecated?: boolean;
  const?: unknown;
  enum?: readonly unknown[];
  default?: unknown;
  examples?: readonly unknown[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  contentMediaType?: string;
  contentEncoding?: string;
  contentSchema?: JsonSchema;
  items?: JsonSchema;
  minItems?: number;
  maxItems?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  propertyNames?: JsonSchema;
  additionalProperties?: boolean | JsonSchema;
  allOf?: JsonSchema[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  discriminator?: { propertyName: string; mapping: Record<string, string> };
  [extension: `x-${string}`]: unknown;
}
