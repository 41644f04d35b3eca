import 'reflect-metadata';
import type { DynamicModule, Type } from '@nestjs/common';
import type { RpcMethod } from '@qmp-gateway/qapi-openapi';
import type { ShapeClass } from './field-type.js';
import { resourceRoutes, type ResourceRoute } from './resource-routes.js';
import type { ShapeSchemas } from './shape.js';

/** What a module offers beside the routes of its controllers. */
export interface ModuleDeclarations {
  /** Routes that are taken before any router. */
  readonly routes?: readonly ResourceRoute[];
  /** Methods of the JSON-RPC WebSocket. */
  readonly rpcMethods?: (schemas: ShapeSchemas) => RpcMethod[];
  /** Shapes of what streams and sockets carry. */
  readonly messages?: readonly ShapeClass[];
}

const declarationsKey = Symbol('declarations');

/** Says what a module offers beside its controllers. */
export function Declares(declarations: ModuleDeclarations): ClassDecorator {
  return (target) => Reflect.defineMetadata(declarationsKey, declarations, target);
}

/** A module as `@Module({imports})` takes it. */
type ImportedModule = Type | DynamicModule;

/** The routes and messages of modules, those of their controllers first, in order. */
export function declarationsOf(modules: readonly ImportedModule[]): Required<ModuleDeclarations> {
  const classes = modules.map((imported) => ('module' in imported ? imported.module : imported));
  const own = classes.map((of) => (Reflect.getOwnMetadata(declarationsKey, of) ?? {}) as ModuleDeclarations);
  return {
    routes: [
      ...classes.flatMap((of) => resourceRoutes((Reflect.getMetadata('controllers', of) ?? []) as Type[])),
      ...own.flatMap(({ routes = [] }) => routes),
    ],
    rpcMethods: (schemas) => own.flatMap(({ rpcMethods }) => rpcMethods?.(schemas) ?? []),
    messages: own.flatMap(({ messages = [] }) => messages),
  };
}
