import 'reflect-metadata';
import { createParamDecorator } from '@nestjs/common';
import type { Header, JsonSchema, Parameter, Reference, ResourceChannel } from '@qmp-gateway/qapi-openapi';
import type { ProblemCode } from '../../problems/catalogue.js';
import type { BodyRequest, ReceivedRequest } from '../request-context.js';
import { headerInstead } from './control-headers.js';
import type { FieldType, ShapeClass } from './field-type.js';
import { readParts, readQuery, type PartShapes } from './read-shape.js';
import { Shape } from './shape.js';

/** One answer that is no problem. */
export interface AnswerDeclaration {
  readonly what: string;
  /** By media type; a shape, or a schema where the body is no object of ours. */
  readonly content?: Readonly<Record<string, FieldType>>;
  readonly headers?: Readonly<Record<string, Header | Reference>>;
}

/** A route that takes the upgrade to WebSocket, and nothing else. */
export interface UpgradeDeclaration {
  /** Who offers any must offer this one. */
  readonly subprotocol: string;
  /** Frames mean nothing: what they carry is one stream of bytes, in text frames too. */
  readonly isByteStream?: boolean;
  /** What AsyncAPI says of it; its address and variables are those of the route. */
  readonly channel?: Omit<ResourceChannel, 'address' | 'parameters'>;
}

/** What one route is: all that documents, clients and the entrance know of it. */
export interface ResourceDeclaration {
  /** `operationId` of the documents. */
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  /** Who may ask, in words; absent: anyone, without credentials. */
  readonly needs?: string;
  /** It is answered while the gateway stops, when all others are refused. */
  readonly answersWhileStopping?: boolean;
  /** The session cookie counts beside the bearer token: for readers in a browser that can send no header. */
  readonly cookie?: boolean;
  /** A one-time code counts in place of a bearer token. */
  readonly code?: boolean;
  /** False: HEAD is refused. Routers answer it by the GET route, which would do all the work for nothing. */
  readonly head?: false;
  /** The handler takes the body as it comes; no other reads it. */
  readonly streamedBody?: { readonly type: string; readonly what: string };
  /** The commands that answer it have none, so that what is sent to the VM cannot be too large. */
  readonly commandsWithoutArguments?: boolean;
  /** It is a WebSocket: a GET without the upgrade is refused. */
  readonly upgrade?: UpgradeDeclaration;
  /** A body that is no shape: any JSON value, or one that a union describes. */
  readonly body?: { readonly content: FieldType; readonly what?: string; readonly required?: boolean };
  /** Variables of the path, beside `vm`. */
  readonly path?: Readonly<Record<string, { readonly type: FieldType; readonly what: string }>>;
  readonly answers: Readonly<Record<number, AnswerDeclaration | Reference>>;
  /** Problems beside those of every request, its parameters and its body. */
  readonly problems?: readonly ProblemCode[];
}

/** A group of resources in the documents. */
export interface ResourceTag {
  readonly name: string;
  readonly description: string;
}

/** What a handler's parameters add to its declaration. */
export interface Additions {
  readonly query?: ShapeClass;
  readonly body?: ShapeClass;
  readonly headers?: ShapeClass;
  readonly parameters?: readonly (Parameter | Reference)[];
  readonly problems?: readonly ProblemCode[];
  /** It reads the query without a shape. */
  readonly readsQuery?: boolean;
}

const resourceKey = Symbol('resource');
const tagKey = Symbol('tag');
const additionsKey = Symbol('additions');

/** Declares a handler's route. A route without this declaration stops the start. */
export function Resource(declaration: ResourceDeclaration): MethodDecorator {
  return (target, name) => Reflect.defineMetadata(resourceKey, declaration, target, name);
}

/** The group of all resources of a controller. */
export function Tag(name: string, description: string): ClassDecorator {
  return (target) => Reflect.defineMetadata(tagKey, { name, description } satisfies ResourceTag, target);
}

export function declarationOf(controller: object, handler: string): ResourceDeclaration | undefined {
  return Reflect.getMetadata(resourceKey, controller, handler) as ResourceDeclaration | undefined;
}

export function tagOf(controller: object): ResourceTag | undefined {
  return Reflect.getMetadata(tagKey, controller) as ResourceTag | undefined;
}

/** What parameters of a handler declared, in no order. */
export function additionsOf(controller: object, handler: string): readonly Additions[] {
  return (Reflect.getMetadata(additionsKey, controller, handler) ?? []) as readonly Additions[];
}

/** A parameter decorator that also says what the documents tell of it. */
export function declaring(decorator: ParameterDecorator, additions: Additions): ParameterDecorator {
  return (target, name, index) => {
    decorator(target, name, index);
    if (name === undefined) return;
    const before = (Reflect.getMetadata(additionsKey, target, name) ?? []) as readonly Additions[];
    Reflect.defineMetadata(additionsKey, [...before, additions], target, name);
  };
}

const partsRead = new WeakMap<ReceivedRequest, ReadonlyMap<ShapeClass, object>>();

/** One of the parts of a request. All that its handler takes are read together, so that a refusal names every fault. */
const part = createParamDecorator((shape: ShapeClass, context) => {
  const request = context.switchToHttp().getRequest<BodyRequest>();
  let parts = partsRead.get(request);
  if (parts === undefined) {
    const { shapes, elsewhere } = planOf(context.getClass().prototype as object, context.getHandler());
    parts = readParts(shapes, request, elsewhere);
    partsRead.set(request, parts);
  }
  return parts.get(shape);
});

/** How the requests of a handler are read. */
interface ReadingPlan {
  readonly shapes: PartShapes;
  readonly elsewhere: (name: string) => string | undefined;
}

const plans = new WeakMap<object, ReadingPlan>();

function planOf(controller: object, handler: { readonly name: string }): ReadingPlan {
  let plan = plans.get(handler);
  if (plan === undefined) {
    const additions = additionsOf(controller, handler.name);
    plan = { shapes: partShapesOf(additions), elsewhere: headerInstead(additions) };
    plans.set(handler, plan);
  }
  return plan;
}

function partShapesOf(additions: readonly Additions[]): PartShapes {
  return {
    query: additions.find(({ query }) => query !== undefined)?.query,
    headers: additions.flatMap(({ headers }) => (headers === undefined ? [] : [headers])),
    body: additions.find(({ body }) => body !== undefined)?.body,
  };
}

/** The query, read by a class. */
export function QueryOf(shape: ShapeClass): ParameterDecorator {
  return declaring(part(shape), { query: shape });
}

/** The body, read by a class. */
export function BodyOf(shape: ShapeClass): ParameterDecorator {
  return declaring(part(shape), { body: shape });
}

/** Headers of this resource's own, read by a class. */
export function HeadersOf(shape: ShapeClass): ParameterDecorator {
  return declaring(part(shape), { headers: shape });
}

/** For handlers without `QueryOf`. @throws Problem `invalid-request` for any parameter */
export function requireNoQuery(text: string, additions: readonly Additions[]): void {
  if (text !== '') readQuery(NoParameters, text, headerInstead(additions));
}

@Shape('')
class NoParameters {}

/** A JSON answer. */
export function json(
  what: string,
  content: FieldType,
  more: Omit<AnswerDeclaration, 'what' | 'content'> = {},
): AnswerDeclaration {
  return { what, content: { 'application/json': content }, ...more };
}

/** A header of an answer. */
export function header(description: string, schema: JsonSchema = { type: 'string' }): Header {
  return { description, schema };
}
