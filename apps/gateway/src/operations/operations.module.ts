import { Global, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { AuditLog } from '../access/audit/audit-log.js';
import { ShownEvents } from '../events/shown-events.js';
import { VmPublisher } from '../events/vm-publisher.js';
import { Declares } from '../http/resource/module-declarations.js';
import { LoggerToken } from '../settings/logger.js';
import { GatewayIdentity } from '../state/gateway-identity.js';
import { StateDirectory } from '../state/state-directory.js';
import { VmNews } from '../vms/vm-news.js';
import { VmRegistry } from '../vms/vm-registry.js';
import { OperationDesk } from './operation-desk.js';
import { OperationNews, WorkMetricsToken, type WorkMetrics } from './operation-news.js';
import { OperationShape } from './operation-shapes.js';
import { OperationStore } from './operation-store.js';
import { OperationsController } from './operations.controller.js';
import { VmWorkObserver } from './vm-work-observer.js';
import { WorkFollower } from './work-follower.js';

/** What became of commands, and of the work that goes on after their reply. */
@Global()
@Declares({ messages: [OperationShape] })
@Module({
  controllers: [OperationsController],
  providers: [
    {
      provide: OperationStore,
      inject: [GatewayIdentity],
      useFactory: ({ run }: GatewayIdentity) => new OperationStore(run),
    },
    {
      provide: OperationNews,
      inject: [ShownEvents, VmRegistry, AuditLog, WorkMetricsToken, LoggerToken],
      useFactory: (
        ...[events, registry, audit, metrics, log]: [ShownEvents, VmRegistry, AuditLog, WorkMetrics, Logger]
      ) => new OperationNews({ hub: events.node, events, registry, audit, metrics, log }),
    },
    {
      provide: WorkFollower,
      inject: [StateDirectory, OperationStore, OperationNews],
      useFactory: (state: StateDirectory, operations: OperationStore, events: OperationNews) =>
        new WorkFollower({ state, operations, events }),
    },
    {
      provide: VmWorkObserver,
      // The publisher registers first: what an event means for work is published after the event itself.
      inject: [VmNews, WorkFollower, OperationStore, VmPublisher],
      useFactory: (news: VmNews, work: WorkFollower, operations: OperationStore) =>
        news.registered(new VmWorkObserver(work, operations)),
    },
    {
      provide: OperationDesk,
      inject: [VmRegistry, OperationStore, WorkFollower, ShownEvents],
      useFactory: (registry: VmRegistry, operations: OperationStore, work: WorkFollower, events: ShownEvents) =>
        new OperationDesk(registry, operations, work, () => events.head()),
    },
  ],
  exports: [OperationStore, OperationNews, WorkFollower, OperationDesk],
})
export class OperationsModule {}
