/**
 * The flavour of a document from which generators for typed languages make clients: OpenAPI 3.0, one form of each
 * control, one type of answer.
 *
 * It is made from the document itself, so it says the same of every operation, argument and answer. What it leaves out:
 *
 * - `timeout` and `dryRun` in the query, which are headers too: a generator makes one name of both;
 * - `int64=string`, whose answers no longer fit the types;
 * - `Dry-Run` where the answer has a type, because it would make a choice of two of each;
 * - which problems an operation can end in: all of 4XX and 5XX are one type, where a list of statuses becomes as many
 *   types for each operation.
 */
import { ComponentNames, inPascalCase } from '../component-names.js';
import { dryRun } from '../dry-run.js';
import type {
  Components,
  Header,
  MediaType,
  OpenApiDocument,
  Operation,
  Parameter,
  PathItem,
  Reference,
  RequestBody,
  Response,
} from '../openapi.js';
import { controlReferences, controls, type ControlName } from '../parameters.js';
import { problemClasses, problemClassReferences } from '../problems.js';
import { referencedComponents } from '../referenced.js';
import type { JsonSchema } from '../schema-keywords.js';
import { sortedRecord } from '../sorted.js';
import { eachOf, generatorSchema } from './generator-schema.js';

type AnyDocument = Omit<OpenApiDocument, 'servers'> & Pick<Partial<OpenApiDocument>, 'servers'>;

const schemaPrefix = '#/components/schemas/';
const problem: JsonSchema = { $ref: `${schemaPrefix}Problem` };

/** @param document of OpenAPI 3.1, as the other functions of this package make it; it is not changed */
export function generatorDocument<D extends AnyDocument>(document: D): D {
  const flavour = new GeneratorFlavour(document.components);
  const paths = Object.fromEntries(
    Object.entries(document.paths).map(([path, item]) => [path, flavour.pathItem(item)]),
  );
  return {
    ...document,
    openapi: '3.0.3',
    info: { ...document.info, license },
    paths,
    components: referencedComponents(paths, flavour.components()),
  };
}

const license = { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' };

const leftOut = referencesTo(['TimeoutQuery', 'DryRunQuery', 'Int64Query']);
const dryRunHeader = referencesTo(['DryRunHeader']);

function referencesTo(names: readonly ControlName[]): ReadonlySet<string> {
  return new Set(controlReferences(names).map(({ $ref }) => $ref));
}

/** Makes the parts of one document; arguments without a name get one. */
class GeneratorFlavour {
  readonly #names: ComponentNames;
  readonly #schemas: Map<string, JsonSchema>;

  constructor(private readonly original: Components) {
    const { schemas, parameters, responses, headers } = original;
    this.#schemas = new Map(Object.entries(eachOf(schemas)));
    this.#names = new ComponentNames(
      [schemas, parameters, responses, headers].flatMap((section) => Object.keys(section)),
    );
  }

  components(): Components {
    const { parameters, responses, headers, securitySchemes } = this.original;
    return {
      schemas: sortedRecord(this.#schemas),
      parameters: mapped(parameters, parameterOf),
      responses: {
        ...mapped(responses, responseOf),
        ...Object.fromEntries(problemClasses(mapped(responses, responseOf), problem)),
      },
      headers: mapped(headers, headerOf),
      securitySchemes,
    };
  }

  pathItem({ parameters, ...operations }: PathItem): PathItem {
    return {
      ...(parameters && { parameters: parameters.map(orReference(parameterOf)) }),
      ...mapped(operations, (operation) => this.#operation(operation)),
    };
  }

  #operation(operation: Operation): Operation {
    const { parameters, requestBody, responses } = operation;
    return {
      ...operation,
      ...(parameters && { parameters: parametersOf(parameters, hasTypedAnswer(operation)) }),
      ...(requestBody && { requestBody: this.#body(requestBody, operation.operationId) }),
      responses: answersOf(responses),
    };
  }

  #body(body: RequestBody, operationId: string): RequestBody {
    const name = `${inPascalCase(operationId.replace(/\.post$/, ''))}Arguments`;
    return {
      ...body,
      content: mapped(body.content, (media) => {
        const converted = mediaOf(media);
        return converted.schema.properties === undefined
          ? converted
          : { ...converted, schema: this.#named(name, converted.schema) };
      }),
    };
  }

  #named(wanted: string, schema: JsonSchema): JsonSchema {
    const name = this.#names.take(wanted);
    this.#schemas.set(name, schema);
    return { $ref: schemaPrefix + name };
  }
}

function parametersOf(parameters: readonly (Parameter | Reference)[], typed: boolean): (Parameter | Reference)[] {
  return parameters
    .filter((parameter) => {
      if (!('$ref' in parameter)) return parameter.name !== controls.Int64Query.name || parameter.in !== 'query';
      return !leftOut.has(parameter.$ref) && !(typed && dryRunHeader.has(parameter.$ref));
    })
    .map(orReference(parameterOf));
}

/** Whether its answer has a type that the answer of a dry run would not fit. */
function hasTypedAnswer({ responses }: Operation): boolean {
  const good = responses['200'];
  const schema = good && 'content' in good ? good.content['application/json']?.schema : undefined;
  return schema === undefined || Object.keys(schema).some((keyword) => keyword !== 'description');
}

function withoutDryRun(schema: JsonSchema): JsonSchema {
  const { anyOf, ...rest } = schema;
  if (!anyOf?.some(isDryRun)) return schema;
  const others = anyOf.filter((branch) => !isDryRun(branch));
  const [only] = others;
  return others.length === 1 ? { ...rest, ...only } : { ...rest, anyOf: others };
}

function isDryRun({ $ref }: JsonSchema): boolean {
  return $ref === dryRun.$ref;
}

function answersOf(responses: Operation['responses']): Operation['responses'] {
  const statuses = Object.keys(responses);
  const good = Object.entries(responses).filter(([status]) => !/^[45]/.test(status));
  return { ...mapped(Object.fromEntries(good), orReference(responseOf)), ...problemClassReferences(statuses) };
}

function responseOf(response: Response): Response {
  const { headers, content } = response;
  return {
    ...response,
    ...(headers && { headers: mapped(headers, orReference(headerOf)) }),
    ...(content && {
      content: Object.fromEntries(
        Object.entries(content).map(([type, media]) => [
          type,
          type === 'application/problem+json' ? { schema: problem } : mediaOf(media),
        ]),
      ),
    }),
  };
}

function mediaOf(media: MediaType): MediaType {
  return { ...media, schema: generatorSchema(withoutDryRun(media.schema)) };
}

function headerOf(header: Header): Header {
  return { ...header, schema: generatorSchema(header.schema) };
}

function parameterOf(parameter: Parameter): Parameter {
  return { ...parameter, schema: generatorSchema(parameter.schema) };
}

function orReference<T extends object>(convert: (part: T) => T): (part: T | Reference) => T | Reference {
  return (part) => ('$ref' in part ? part : convert(part));
}

function mapped<T>(record: Readonly<Record<string, T>>, convert: (part: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, part]) => [name, convert(part)]));
}
