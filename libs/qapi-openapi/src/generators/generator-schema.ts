/**
 * Schemas in the form that code generators for typed languages keep: those of OpenAPI 3.0.
 *
 * Every JSON value that is taken stays one that is taken. What changes is how it is said: `nullable` in place of a type
 * `null`, one-value `enum` in place of `const`, `int64` for all that does not fit 32 bits (generators make 32 bits of an
 * integer whose format they do not know).
 */
import type { JsonSchema } from '../schema-keywords.js';

const most32 = 2 ** 31 - 1;

export function generatorSchema(schema: JsonSchema): JsonSchema {
  const { $ref, ...beside } = schema;
  if ($ref !== undefined) {
    // What stands beside a reference is ignored in OpenAPI 3.0.
    const notes = keywords(beside);
    return Object.keys(notes).length === 0 ? { $ref } : { allOf: [{ $ref }], ...notes };
  }
  const branches = beside.anyOf ?? beside.oneOf;
  if (branches?.some(isNull)) return nullableChoice(beside, branches);
  return keywords(beside);
}

function isNull(schema: JsonSchema): boolean {
  return schema.type === 'null';
}

/** `nullable` means something only beside a type, so it goes to a branch that has one. */
function nullableChoice(schema: JsonSchema, branches: readonly JsonSchema[]): JsonSchema {
  const { anyOf: _, oneOf: __, ...rest } = schema;
  const others = branches.filter((branch) => !isNull(branch)).map(generatorSchema);
  const [only] = others;
  if (others.length === 1 && only !== undefined)
    return { ...keywords(rest), ...('$ref' in only ? { allOf: [only] } : only), nullable: true };
  const typed = others.findIndex(({ type }) => type !== undefined);
  const marked = others.map((branch, at) => (at === typed ? { ...branch, nullable: true } : branch));
  return { ...keywords(rest), [schema.anyOf === undefined ? 'oneOf' : 'anyOf']: marked };
}

/** All keywords but `$ref`. */
function keywords(schema: JsonSchema): JsonSchema {
  const { const: only, type, examples, contentMediaType, contentSchema, contentEncoding, ...known } = schema;
  // OpenAPI 3.0 does not know it; what a name may be stands in the other flavour.
  const { propertyNames: _, ...rest } = known;
  return {
    // Of a union with `type` beside it some generators make an object that holds a choice.
    ...(schema.discriminator === undefined && ofType(type)),
    ...ofConstant(only),
    ...inside(rest),
    ...widthOf(schema),
    ...(examples !== undefined && { example: examples[0] }),
    ...(contentEncoding === 'base64' && { format: 'byte' }),
    ...((contentMediaType !== undefined || contentSchema !== undefined) && textOf(schema)),
  };
}

function ofType(type: JsonSchema['type']): JsonSchema {
  if (type === undefined) return {};
  if (typeof type === 'string') return type === 'null' ? { type: 'string', nullable: true, enum: [null] } : { type };
  const [first, ...others] = type.filter((each) => each !== 'null');
  return {
    // OpenAPI 3.0 has no way to say several: any is taken.
    ...(first !== undefined && others.length === 0 && { type: first }),
    ...(type.includes('null') && { nullable: true }),
  };
}

function ofConstant(value: unknown): JsonSchema {
  return value === undefined ? {} : { type: typeof value, enum: [value] };
}

function inside(schema: JsonSchema): JsonSchema {
  const { properties, items, additionalProperties, allOf, anyOf, oneOf, ...rest } = schema;
  return {
    ...rest,
    ...(properties && { properties: eachOf(properties) }),
    ...(items && { items: generatorSchema(items) }),
    ...(additionalProperties !== undefined && {
      additionalProperties:
        typeof additionalProperties === 'boolean' ? additionalProperties : generatorSchema(additionalProperties),
    }),
    ...(allOf && { allOf: allOf.map(generatorSchema) }),
    ...(anyOf && { anyOf: anyOf.map(generatorSchema) }),
    ...(oneOf && { oneOf: oneOf.map(generatorSchema) }),
  };
}

export function eachOf(schemas: Readonly<Record<string, JsonSchema>>): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, generatorSchema(schema)]));
}

function widthOf({ type, format, minimum = -Infinity, maximum = Infinity }: JsonSchema): JsonSchema {
  const isInteger = type === 'integer' || (Array.isArray(type) && type.includes('integer'));
  if (!isInteger || format === 'int32') return {};
  return maximum <= most32 && minimum >= -most32 - 1 ? {} : { format: 'int64' };
}

/** A text that holds JSON or the like: 3.0 cannot say of what form. */
function textOf({ description, contentMediaType }: JsonSchema): JsonSchema {
  const media = contentMediaType === undefined ? 'JSON' : `\`${contentMediaType}\``;
  return { description: [description, `As text: ${media}`].filter((each) => each !== undefined).join('. ') };
}
