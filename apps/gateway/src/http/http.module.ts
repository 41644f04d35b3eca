import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { SettingsToken, type Settings } from '../settings/settings.js';
import { connectionBound } from './connection-bound.js';
import { OpenConnections } from './open-connections.js';
import { ProblemFilter } from './problem.filter.js';
import { ProblemsController } from './problems.controller.js';
import { ReplyBudget } from './reply-budget.js';
import { KnownParts } from './resource/known-parts.js';
import { KnownQuery } from './resource/known-query.js';
import { ResourceBook } from './resource/resource-book.js';
import { RouteTable } from './route-table.js';

/** What every resource has in common. */
@Module({ controllers: [ProblemsController] })
export class HttpModule {
  /** @param book the resources of all modules */
  static of(book: ResourceBook): DynamicModule {
    return {
      module: HttpModule,
      global: true,
      providers: [
        { provide: ResourceBook, useValue: book },
        { provide: RouteTable, useFactory: () => new RouteTable(book.routes) },
        {
          provide: ReplyBudget,
          inject: [SettingsToken],
          useFactory: ({ limits }: Settings) => new ReplyBudget(limits),
        },
        {
          provide: OpenConnections,
          inject: [SettingsToken],
          useFactory: ({ limits }: Settings) => new OpenConnections(connectionBound(limits.connections)),
        },
        { provide: APP_GUARD, useClass: KnownQuery },
        { provide: APP_GUARD, useClass: KnownParts },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
      exports: [ResourceBook, RouteTable, ReplyBudget, OpenConnections],
    };
  }
}
