import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type {
  Header,
  JsonSchema,
  OpenApiDocument,
  OpenApiOperation,
  Reference,
  Response,
} from '@qmp-gateway/qapi-openapi';
import type { Exchange } from '../http-exchange.js';
import { closed } from './closed-schemas.js';

/** One method of one path of the document, but for the endpoints of single commands. */
export interface DocumentedOperation {
  readonly id: string;
  /** Upper case. */
  readonly method: string;
  readonly path: string;
  readonly statuses: readonly number[];
  /** Names of the headers and query parameters that it takes. */
  readonly parameters: readonly string[];
  readonly bodyTypes: readonly string[];
}

/** Headers that HTTP itself, browsers and proxies have meanings for: no document of a resource lists them. */
const headersOfHttp = new Set([
  ...['date', 'connection', 'keep-alive', 'content-type', 'content-length', 'transfer-encoding', 'trailer'],
  ...['cache-control', 'vary', 'x-content-type-options', 'content-security-policy', 'cross-origin-opener-policy'],
  ...['referrer-policy', 'content-encoding', 'content-disposition', 'accept-ranges', 'last-modified'],
  ...['x-accel-buffering', 'upgrade', 'sec-websocket-accept', 'sec-websocket-protocol'],
]);
const methods = ['get', 'put', 'post', 'delete'] as const;
const pair = (id: string, status: number) => `${id} ${status}`;

/** Compares answers of a running gateway with its own document, and remembers which documented answers were seen. */
export class DocumentCheck {
  readonly operations: readonly DocumentedOperation[];
  /** What was wrong, once each. */
  readonly faults = new Set<string>();
  readonly #document: OpenApiDocument;
  readonly #byId = new Map<string, OpenApiOperation>();
  readonly #seen = new Map<string, number>();
  readonly #validators = new Map<JsonSchema, ValidateFunction>();
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });

  constructor(document: OpenApiDocument) {
    this.#document = document;
    addFormats.default(this.#ajv);
    const { schemas } = document.components;
    const components = {
      schemas: Object.fromEntries(Object.entries(schemas).map(([name, each]) => [name, closed(each)])),
    };
    this.#ajv.addSchema({ $id: 'document', components });
    this.operations = this.#resources();
  }

  /** `operation status` of all documented answers, and of those that were seen. */
  get documented(): string[] {
    return this.operations.flatMap(({ id, statuses }) => statuses.map((status) => pair(id, status)));
  }

  get missing(): string[] {
    return this.documented.filter((each) => !this.#seen.has(each));
  }

  get answers(): number {
    return [...this.#seen.values()].reduce((sum, count) => sum + count, 0);
  }

  /** What was wrong since this was asked last. */
  takeFaults(): string[] {
    const found = [...this.faults];
    this.faults.clear();
    return found;
  }

  operation(id: string): DocumentedOperation {
    const found = this.operations.find((each) => each.id === id);
    if (found === undefined) throw new Error(`the document has no operation ${id}`);
    return found;
  }

  /** Whether the answer is one that the document has for this operation, body and headers included. */
  check(id: string, answer: Exchange, withoutBody = false): void {
    const { status } = answer;
    const told = this.#byId.get(id)?.responses[String(status)];
    const fault = (text: string) => this.faults.add(`${id} ${status}: ${text}`);
    if (told === undefined) {
      fault(`not documented: ${answer.text.slice(0, 300)}`);
      return;
    }
    this.#seen.set(pair(id, status), (this.#seen.get(pair(id, status)) ?? 0) + 1);
    const response = this.#resolve<Response>(told);
    for (const text of this.#headerFaults(response, answer)) fault(text);
    if (!withoutBody) for (const text of this.#bodyFaults(response, answer)) fault(text);
  }

  #resources(): DocumentedOperation[] {
    return Object.entries(this.#document.paths).flatMap(([path, item]) =>
      methods.flatMap((method) => {
        const operation = item[method];
        if (operation === undefined || 'x-qapi-class' in operation) return [];
        this.#byId.set(operation.operationId, operation);
        const { operationId: id, responses, parameters = [], requestBody } = operation;
        return [
          {
            ...{ id, path, method: method.toUpperCase(), statuses: Object.keys(responses).map(Number) },
            parameters: parameters.map((each) => this.#resolve<{ name: string }>(each).name),
            bodyTypes: Object.keys(requestBody?.content ?? {}),
          },
        ];
      }),
    );
  }

  #headerFaults({ headers = {} }: Response, answer: Exchange): string[] {
    const documented = new Map(Object.entries(headers).map(([name, each]) => [name.toLowerCase(), each]));
    const faults =
      documented.has('x-request-id') && answer.headers['x-request-id'] === undefined ? ['no X-Request-Id'] : [];
    for (const [name, value] of Object.entries(answer.headers)) {
      if (headersOfHttp.has(name)) continue;
      const header = documented.get(name);
      if (header === undefined) faults.push(`undocumented header ${name}`);
      else faults.push(...this.#headerValueFaults(name, String(value), this.#resolve<Header>(header).schema));
    }
    return faults;
  }

  #headerValueFaults(name: string, value: string, schema: JsonSchema): string[] {
    const typed = schema.type === 'integer' ? Number(value) : value;
    return this.#faultsOf(schema, typed).map((text) => `header ${name} ${text}`);
  }

  #bodyFaults({ content }: Response, { headers, text }: Exchange): string[] {
    const type = headers['content-type']?.split(';', 1)[0]?.trim();
    if (content === undefined) return text === '' ? [] : [`a body where none is documented: ${text.slice(0, 100)}`];
    const media = type === undefined ? undefined : content[type];
    if (media === undefined) return [`content type ${String(type)} is not documented`];
    const { schema } = media;
    return valuesIn(type ?? '', text).flatMap((value) => this.#faultsOf(schema, value));
  }

  #faultsOf(schema: JsonSchema, value: unknown): string[] {
    let validate = this.#validators.get(schema);
    if (validate === undefined) {
      const local = JSON.parse(
        JSON.stringify(closed(schema)).replaceAll('"#/components/', '"document#/components/'),
      ) as object;
      validate = this.#ajv.compile(local);
      this.#validators.set(schema, validate);
    }
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message = '', params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  }

  #resolve<T>(part: T | Reference): T {
    if (typeof part !== 'object' || part === null || !('$ref' in part)) return part;
    const steps = part.$ref.slice('#/'.length).split('/');
    return steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], this.#document) as T;
  }
}

/** What a body says: one JSON value, a line each, the data of each event, or text. */
function valuesIn(type: string, text: string): unknown[] {
  const lines = text.split('\n').filter((line) => line !== '');
  switch (type) {
    case 'application/json':
    case 'application/problem+json':
      return [JSON.parse(text)];
    case 'application/x-ndjson':
      return lines.map((line) => JSON.parse(line) as unknown);
    case 'text/event-stream':
      return lines.flatMap((line) => (line.startsWith('data: ') ? [JSON.parse(line.slice(6)) as unknown] : []));
    default:
      return [text];
  }
}
