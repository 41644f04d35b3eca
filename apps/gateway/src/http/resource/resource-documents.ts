import type {
  JsonSchema,
  OpenApiOperation,
  Parameter,
  PathItem,
  ProblemRow,
  Reference,
  RequestBody,
  ResourceDocuments,
  Response,
} from '@qmp-gateway/qapi-openapi';
import { bodilessProblems, headerReferences, problemReferences, rateLimitHeaders } from '@qmp-gateway/qapi-openapi';
import type { ProblemCode } from '../../problems/catalogue.js';
import { vmIdPattern } from '../../settings/vm-definition.js';
import type { ShapeClass } from './field-type.js';
import type { AnswerDeclaration, ResourceTag } from './resource.js';
import type { ResourceRoute } from './resource-routes.js';
import { fieldSchema, fieldsOf, ShapeSchemas, type Field } from './shape.js';

/** Problems that any request can end in once it needs credentials. */
const ofEveryRequest: readonly ProblemCode[] = [
  ...(['unauthenticated', 'forbidden', 'origin-refused', 'host-refused', 'too-many-requests'] as const),
  ...(['headers-too-large', 'internal-error', 'shutting-down', 'invalid-request', 'malformed-json'] as const),
  'expectation-failed',
];
const ofEveryPublicRequest: readonly ProblemCode[] = [
  'host-refused',
  'origin-refused',
  'shutting-down',
  'internal-error',
  'headers-too-large',
  'expectation-failed',
];
const ofEveryBody: readonly ProblemCode[] = ['body-too-large', 'unsupported-media-type'];

const vmReference: Reference = { $ref: '#/components/parameters/VmId' };
/** What `vmReference` refers to. */
const vmParameter: Parameter = {
  name: 'vm',
  in: 'path',
  required: true,
  description:
    'Id of a VM; where several nodes of a fleet have one of this id, `node=` in the query says which is meant',
  schema: { type: 'string', pattern: vmIdPattern.source },
};

/**
 * The part of the gateway's OpenAPI document that its resources declare.
 * @param rows the catalogue of problems
 * @throws TypeError when two routes have one id, or one tag has two descriptions
 */
export function resourceDocuments(routes: readonly ResourceRoute[], rows: readonly ProblemRow[]): ResourceDocuments {
  const writer = new ResourceWriter(rows);
  const paths: Record<string, PathItem> = {};
  const tags = new Map<string, ResourceTag>();
  const ids = new Set<string>();
  for (const route of routes) {
    const { id } = route.declaration;
    if (ids.has(id)) throw new TypeError(`two routes have the id ${id}`);
    ids.add(id);
    const known = tags.get(route.tag.name);
    if (known !== undefined && known.description !== route.tag.description)
      throw new TypeError(`the tag ${route.tag.name} has two descriptions`);
    tags.set(route.tag.name, route.tag);
    const path = route.path.replaceAll(/[:*](\w+)/g, '{$1}');
    const item = (paths[path] ??= withPathParameters(route, writer));
    item[route.method.toLowerCase() as 'get'] = writer.operation(route);
  }
  return { paths, tags: [...tags.values()], schemas: Object.fromEntries(writer.schemas.components), vmParameter };
}

function withPathParameters({ path, declaration }: ResourceRoute, { schemas }: ResourceWriter): PathItem {
  const names = [...path.matchAll(/[:*](\w+)/g)].map(([, name = '']) => name);
  if (names.length === 0) return {};
  return {
    parameters: names.map((name) => {
      if (name === 'vm') return vmReference;
      const { type, what } = declaration.path?.[name] ?? missing(`${path}: nothing declares :${name}`);
      return { name, in: 'path', required: true, description: what, schema: type.schema(schemas.refer) };
    }),
  };
}

function missing(what: string): never {
  throw new TypeError(what);
}

/** A WebSocket handshake has the headers of its own protocol; callers without credentials have no limit of requests. */
function usualHeaders({ needs }: ResourceRoute['declaration'], status: string): string[] {
  if (status === '101') return [];
  return needs === undefined ? ['X-Request-Id'] : ['X-Request-Id', ...Object.keys(rateLimitHeaders)];
}

class ResourceWriter {
  readonly schemas = new ShapeSchemas();
  readonly #rows: ReadonlyMap<string, ProblemRow>;

  constructor(rows: readonly ProblemRow[]) {
    this.#rows = new Map(rows.map((row) => [row.code, row]));
  }

  operation(route: ResourceRoute): OpenApiOperation {
    const { tag, declaration, additions } = route;
    const { id, summary, description, needs, cookie } = declaration;
    const inWords = needs === undefined ? 'Needs no credentials.' : `Needs ${needs}.`;
    const parameters = [
      ...additions.flatMap(({ query }) => this.#parameters(query, 'query')),
      ...additions.flatMap(({ headers }) => this.#parameters(headers, 'header')),
      ...additions.flatMap((addition) => addition.parameters ?? []),
    ];
    const requestBody = this.#body(declaration, additions.find(({ body }) => body !== undefined)?.body);
    return {
      operationId: id,
      tags: [tag.name],
      summary,
      description: description === undefined ? inWords : `${description} ${inWords}`,
      ...(needs === undefined ? { security: [] } : {}),
      ...(cookie === true ? { security: [{ bearer: [] }, { session: [] }] } : {}),
      ...(parameters.length > 0 ? { parameters } : {}),
      ...(requestBody === undefined ? {} : { requestBody }),
      responses: {
        ...Object.fromEntries(
          Object.entries(declaration.answers).map(([status, answer]) => [
            status,
            this.#answer(answer, usualHeaders(declaration, status)),
          ]),
        ),
        ...problemReferences(this.#problems(route)),
      },
    };
  }

  /** The entrance reads the body of every request but GET, though its resource may have no use for one. */
  #problems({
    method,
    declaration: { needs, answersWhileStopping, commandsWithoutArguments, problems = [] },
    additions,
  }: ResourceRoute): ProblemRow[] {
    const codes = new Set<string>([
      ...(needs === undefined ? ofEveryPublicRequest : ofEveryRequest),
      ...(method === 'GET' ? [] : ofEveryBody),
      // What cannot be decoded.
      ...problems,
      ...additions.flatMap((addition) => addition.problems ?? []),
    ]);
    if (answersWhileStopping === true) codes.delete('shutting-down');
    if (commandsWithoutArguments === true && method === 'GET') codes.delete('body-too-large');
    const rows = [...codes].map((code) => this.#rows.get(code) ?? missing(`no problem '${code}' in the catalogue`));
    return method === 'GET' ? bodilessProblems(rows) : rows;
  }

  #parameters(shape: ShapeClass | undefined, place: 'query' | 'header'): Parameter[] {
    return shape === undefined ? [] : fieldsOf(shape).map((field) => this.#parameter(field, place));
  }

  #parameter(field: Field, place: 'query' | 'header'): Parameter {
    const { name, type, required, what } = field;
    return {
      name,
      in: place,
      ...(what === undefined ? {} : { description: what }),
      ...(required ? { required } : {}),
      ...(type.item === undefined ? {} : { style: 'form', explode: true }),
      schema: fieldSchema({ ...field, what: undefined }, this.schemas.refer),
    };
  }

  #body({ body, streamedBody }: ResourceRoute['declaration'], shape: ShapeClass | undefined): RequestBody | undefined {
    if (streamedBody !== undefined) {
      const schema: JsonSchema = { type: 'string', format: 'binary' };
      return { required: true, description: streamedBody.what, content: { [streamedBody.type]: { schema } } };
    }
    if (body !== undefined) {
      const { content, what, required = true } = body;
      const schema = content.schema(this.schemas.refer);
      return {
        required,
        ...(what === undefined ? {} : { description: what }),
        content: { 'application/json': { schema } },
      };
    }
    if (shape === undefined) return undefined;
    return { required: true, content: { 'application/json': { schema: this.schemas.refer(shape) } } };
  }

  /** @param usual headers that it has beside those of its declaration */
  #answer(answer: AnswerDeclaration | Reference, usual: readonly string[]): Response | Reference {
    if ('$ref' in answer) return answer;
    const { what, content, headers } = answer;
    return {
      description: what,
      headers: { ...headerReferences(usual), ...headers },
      ...(content === undefined
        ? {}
        : {
            content: Object.fromEntries(
              Object.entries(content).map(([type, field]) => [type, { schema: field.schema(this.schemas.refer) }]),
            ),
          }),
    };
  }
}
