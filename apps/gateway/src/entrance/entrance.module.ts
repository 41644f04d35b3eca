import { Module } from '@nestjs/common';
import { systemClock } from '@qmp-gateway/qmp';
import type { Logger } from 'pino';
import { AccessControl } from '../access/access-control.js';
import { Lane } from '../commands/lane.js';
import type { FleetExchanges } from '../fleet/exchanges/fleet-exchanges.js';
import { FleetExchangesToken } from '../fleet/fleet-dependencies.js';
import { OpenConnections } from '../http/open-connections.js';
import { ReplyBudget } from '../http/reply-budget.js';
import { RouteTable } from '../http/route-table.js';
import { LoggerToken } from '../settings/logger.js';
import { SettingsToken, type Settings } from '../settings/settings.js';
import { SocketRouter } from '../upgrades/socket-router.js';
import { Dispatcher } from './dispatcher.js';
import { ListenersToken, makeListeners } from './open-listeners.js';

type DispatcherDependencies = [
  AccessControl,
  Lane,
  SocketRouter,
  OpenConnections,
  ReplyBudget,
  Logger,
  RouteTable,
  Settings,
  FleetExchanges | null,
];

function dispatcher(...dependencies: DispatcherDependencies): Dispatcher {
  const [entry, lane, sockets, connections, replies, log, routes, { publicUrl }, exchanges] = dependencies;
  const parts = { entry, lane, sockets, connections, replies, log, routes, clock: systemClock };
  const made = new Dispatcher({ ...parts, base: publicUrl?.base ?? '', elsewhere: exchanges?.forwarder });
  if (exchanges !== null) made.attachHanded(exchanges.server);
  return made;
}

/** How requests come in. */
@Module({
  providers: [
    {
      provide: Dispatcher,
      inject: [
        ...[AccessControl, Lane, SocketRouter, OpenConnections, ReplyBudget, LoggerToken, RouteTable],
        ...[SettingsToken, FleetExchangesToken],
      ],
      useFactory: dispatcher,
    },
    {
      provide: ListenersToken,
      inject: [SettingsToken, OpenConnections, Dispatcher],
      useFactory: (settings: Settings, connections: OpenConnections, dispatcher: Dispatcher) => {
        const listeners = makeListeners(settings, connections);
        for (const listener of listeners) dispatcher.attach(listener);
        return listeners;
      },
    },
  ],
  exports: [Dispatcher, ListenersToken],
})
export class EntranceModule {}
