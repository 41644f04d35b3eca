import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import {
  additionsOf,
  declarationOf,
  tagOf,
  type Additions,
  type ResourceDeclaration,
  type ResourceTag,
} from './resource.js';

/** One method of one path, as its handler declares it. */
export interface ResourceRoute {
  /** Upper case. */
  readonly method: string;
  /** Variable segments as `:name`; `*name` takes all that is left. */
  readonly path: string;
  readonly tag: ResourceTag;
  readonly declaration: ResourceDeclaration;
  readonly additions: readonly Additions[];
}

/**
 * The routes of controllers, as their decorators declare them.
 * @throws TypeError when a handler has no declaration, or its class no tag
 */
export function resourceRoutes(controllers: readonly Type[]): ResourceRoute[] {
  return controllers.flatMap((controller) => {
    const prototype = controller.prototype as object;
    return handlersOf(prototype).flatMap((handler) => routesOf(controller, prototype, handler));
  });
}

function handlersOf(prototype: object): string[] {
  return Object.getOwnPropertyNames(prototype).filter((name) => {
    const member = Object.getOwnPropertyDescriptor(prototype, name)?.value as unknown;
    return typeof member === 'function' && Reflect.hasMetadata(METHOD_METADATA, member);
  });
}

function routesOf(controller: Type, prototype: object, handler: string): ResourceRoute[] {
  const method = Reflect.get(prototype, handler) as object;
  const declaration = declarationOf(prototype, handler);
  const tag = tagOf(controller);
  if (declaration === undefined || tag === undefined)
    throw new TypeError(`${controller.name}.${handler} has no ${tag === undefined ? '@Tag' : '@Resource'}`);
  const verb = RequestMethod[Reflect.getMetadata(METHOD_METADATA, method) as RequestMethod];
  const additions = additionsOf(prototype, handler);
  return pathsOf(controller).flatMap((base) =>
    pathsOf(method).map((path) => ({ method: verb, path: joined(base, path), tag, declaration, additions })),
  );
}

function pathsOf(declared: object): string[] {
  const path = Reflect.getMetadata(PATH_METADATA, declared) as string | string[] | undefined;
  return Array.isArray(path) ? path : [path ?? ''];
}

function joined(...parts: readonly string[]): string {
  return `/${parts
    .flatMap((part) => part.split('/'))
    .filter((segment) => segment !== '')
    .join('/')}`;
}
