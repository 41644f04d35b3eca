/** How the gateway's own resources are written down: one row of DESIGN.md section 4 each. */
import type { MediaType, Operation, Parameter, Reference, RequestBody, Response } from '../openapi.js';
import { problemReferences, type ProblemRow } from '../problems.js';
import type { JsonSchema } from '../schema-keywords.js';
import { textList } from './schemas.js';

/** Problems any request can end in once it asks for credentials. */
const always = [
  'unauthenticated',
  'forbidden',
  'origin-refused',
  'host-refused',
  'too-many-requests',
  'headers-too-large',
  'internal-error',
  'shutting-down',
] as const;

export interface Resource {
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** Who may ask, in words; undefined: anyone, without credentials. */
  readonly needs?: string;
  /** The session cookie is honoured beside the bearer token. */
  readonly cookie?: boolean;
  readonly parameters?: readonly (Parameter | Reference)[];
  readonly body?: RequestBody;
  readonly answers: Record<number, Response | Reference>;
  /** Codes of problems beside those of every request. */
  readonly problems?: readonly string[];
}

/** Writes down resources against the gateway's catalogue of problems and its component schemas. */
export class ResourceWriter {
  readonly #rows: ReadonlyMap<string, ProblemRow>;
  readonly schema: (name: string) => JsonSchema;

  constructor(rows: readonly ProblemRow[], schema: (name: string) => JsonSchema) {
    this.#rows = new Map(rows.map((row) => [row.code, row]));
    this.schema = schema;
  }

  /** @throws TypeError when the resource names a problem that the catalogue does not have */
  operation(resource: Resource): Operation {
    const codes = [...(resource.needs === undefined ? ['host-refused'] : always), ...(resource.problems ?? [])];
    const needs = resource.needs === undefined ? 'Needs no credentials.' : `Needs ${resource.needs}.`;
    return {
      operationId: resource.id,
      tags: [resource.tag],
      summary: resource.summary,
      description: resource.description === undefined ? needs : `${resource.description} ${needs}`,
      ...(resource.needs === undefined && { security: [] }),
      ...(resource.cookie && { security: [{ bearer: [] }, { session: [] }] }),
      ...(resource.parameters && { parameters: [...resource.parameters] }),
      ...(resource.body && { requestBody: resource.body }),
      responses: { ...resource.answers, ...problemReferences(codes.map((code) => this.#row(code))) },
    };
  }

  /** A JSON answer or body holding the component schema `name`. */
  json(name: string): Record<string, MediaType> {
    return { 'application/json': { schema: this.schema(name) } };
  }

  #row(code: string): ProblemRow {
    const row = this.#rows.get(code);
    if (!row) throw new TypeError(`no problem '${code}' in the catalogue`);
    return row;
  }
}

export function query(name: string, schema: JsonSchema, description: string): Parameter {
  return { name, in: 'query', description, schema };
}

export function repeatable(name: string, description: string): Parameter {
  return { ...query(name, textList, description), style: 'form', explode: true };
}

export function inPath(name: string, schema: JsonSchema, description: string): Parameter {
  return { name, in: 'path', required: true, description, schema };
}

export const selectVm = repeatable('vm', 'Ids of VMs, as globs');
export const selectLabel = repeatable('label', 'Labels VMs must have, as `key=value`');
export const vmParameter: Reference = { $ref: '#/components/parameters/VmId' };
