import { Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { LimitedCommandPath } from '../commands/limited-command-path.js';
import { ShownEvents } from '../events/shown-events.js';
import { logged } from '../http/request-context.js';
import { Declares } from '../http/resource/module-declarations.js';
import { LoggerToken } from '../settings/logger.js';
import { SocketLeavers } from '../upgrades/socket-connection.js';
import { VmDirectory } from '../vms/vm-directory.js';
import { VmRegistry } from '../vms/vm-registry.js';
import { JsonRpcGateway } from './json-rpc.gateway.js';
import { rpcMethods } from './json-rpc-shapes.js';
import { MonitorGateway } from './monitor.gateway.js';
import { SOCKET_PARTS, type SocketParts } from './socket-parts.js';
import { UpgradeRequiredController } from './upgrade-required.controller.js';

type SocketDependencies = [SocketLeavers, ShownEvents, LimitedCommandPath, VmDirectory, VmRegistry, Logger];

function socketParts(...[leavers, events, path, directory, registry, log]: SocketDependencies): SocketParts {
  return {
    ...{ leavers, hub: events.node, events, path, directory, registry },
    fault: (error, mark) => log.error({ err: error, ...logged(mark) }, 'message failed'),
  };
}

/** JSON-RPC and shared monitors; their commands count as requests. */
@Declares({ rpcMethods })
@Module({
  controllers: [UpgradeRequiredController],
  providers: [
    {
      provide: SOCKET_PARTS,
      inject: [SocketLeavers, ShownEvents, LimitedCommandPath, VmDirectory, VmRegistry, LoggerToken],
      useFactory: socketParts,
    },
    JsonRpcGateway,
    MonitorGateway,
  ],
  exports: [SOCKET_PARTS],
})
export class SocketsModule {}
