import type { JsonSchema } from './schema-keywords.js';

/** The part of OpenAPI 3.1 that these documents use, and of 3.0 in the flavour for generators. */
export interface OpenApiDocument {
  openapi: '3.1.0' | '3.0.3';
  info: Info;
  servers?: Server[];
  security: SecurityRequirement[];
  tags: Tag[];
  paths: Record<string, PathItem>;
  components: Components;
}

export interface Info {
  title: string;
  version: string;
  description?: string;
  license?: { name: string; identifier?: string; url?: string };
}

export interface Server {
  url: string;
  description?: string;
  variables?: Record<string, { default: string; description?: string }>;
}

export type SecurityRequirement = Record<string, string[]>;

export interface Tag {
  name: string;
  description: string;
}

export type Method = 'get' | 'put' | 'post' | 'delete';

export type PathItem = { parameters?: (Parameter | Reference)[] } & { [method in Method]?: Operation };

export interface Reference {
  $ref: string;
}

export interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  deprecated?: boolean;
  security?: SecurityRequirement[];
  parameters?: (Parameter | Reference)[];
  requestBody?: RequestBody;
  responses: Record<string, Response | Reference>;
  [extension: `x-${string}`]: unknown;
}

export interface Parameter {
  name: string;
  in: 'query' | 'path' | 'header';
  description?: string;
  required?: boolean;
  deprecated?: boolean;
  style?: 'form';
  explode?: boolean;
  schema: JsonSchema;
  example?: unknown;
  [extension: `x-${string}`]: unknown;
}

export interface RequestBody {
  description?: string;
  required: boolean;
  content: Record<string, MediaType>;
}

export interface MediaType {
  schema: JsonSchema;
  example?: unknown;
}

export interface Response {
  description: string;
  headers?: Record<string, Header | Reference>;
  content?: Record<string, MediaType>;
}

export interface Header {
  description: string;
  required?: boolean;
  schema: JsonSchema;
}

export interface SecurityScheme {
  type: 'http' | 'apiKey';
  scheme?: 'bearer';
  in?: 'cookie';
  name?: string;
  description: string;
}

export interface Components {
  schemas: Record<string, JsonSchema>;
  responses: Record<string, Response>;
  parameters: Record<string, Parameter>;
  headers: Record<string, Header>;
  securitySchemes: Record<string, SecurityScheme>;
}
