import { Global, Module } from '@nestjs/common';
import { systemClock } from '@qmp-gateway/qmp';
import type { Logger } from 'pino';
import { AccessControl } from '../access/access-control.js';
import { AuditLog } from '../access/audit/audit-log.js';
import { Policy } from '../access/policy/policy.js';
import { ShownEvents } from '../events/shown-events.js';
import { ReplyBudget } from '../http/reply-budget.js';
import { logged } from '../http/request-context.js';
import { Declares } from '../http/resource/module-declarations.js';
import { WorkMetricsToken } from '../operations/operation-news.js';
import { OperationStore } from '../operations/operation-store.js';
import { WorkFollower } from '../operations/work-follower.js';
import { built } from '../settings/built.js';
import { LoggerToken } from '../settings/logger.js';
import { SettingsToken, type Settings } from '../settings/settings.js';
import { StateDirectory } from '../state/state-directory.js';
import { VmRegistry } from '../vms/vm-registry.js';
import { AccessExplainer } from './access-explainer.js';
import { AccessController } from './access.controller.js';
import { CancellationController } from './cancellation.controller.js';
import { CommandMetrics } from './command-metrics.js';
import { CheckedCommandPath } from './command-path.js';
import { commandRoutes } from './command-routes.js';
import { CommandsElsewhereToken, type CommandsElsewhere } from './commands-elsewhere.js';
import { DescriptorCounts } from './descriptor-counts.js';
import { FanOut } from './fan-out.js';
import { IdempotencyStore } from './idempotency.js';
import { Lane } from './lane.js';
import { LimitedCommandPath } from './limited-command-path.js';

type PathDependencies = [
  VmRegistry,
  Policy,
  AuditLog,
  CommandMetrics,
  OperationStore,
  WorkFollower,
  IdempotencyStore,
  ShownEvents,
  Settings,
  Logger,
  CommandsElsewhere | null,
  DescriptorCounts,
];

function commandPath(...dependencies: PathDependencies): CheckedCommandPath {
  const [
    registry,
    policy,
    audit,
    metrics,
    operations,
    work,
    idempotency,
    events,
    { limits },
    log,
    elsewhere,
    descriptors,
  ] = dependencies;
  return new CheckedCommandPath({
    elsewhere: elsewhere ?? undefined,
    ...{ registry, policy, audit, metrics, operations, work, idempotency, limits, descriptors, clock: systemClock },
    eventCursor: () => events.commandCursor(),
    fault: (error, mark) => log.error({ err: error, ...logged(mark) }, 'command failed by a fault of ours'),
  });
}

function idempotencyStore(state: StateDirectory, operations: OperationStore, log: Logger): IdempotencyStore {
  return new IdempotencyStore({
    state,
    operationPath: (vm, operation) => operations.get(vm, operation)?.path,
    trouble: (failure) => {
      if (failure === undefined) log.warn('idempotency keys are written down again');
      else log.error({ failure }, 'idempotency keys cannot be written down; commands that carry one are refused');
    },
  });
}

type LaneDependencies = [CheckedCommandPath, FanOut, ReplyBudget, OperationStore, WorkFollower, Settings];

function commandLane(...dependencies: LaneDependencies): Lane {
  const [path, fanOut, replies, operations, work, { limits }] = dependencies;
  const clock = systemClock;
  return new Lane({ path, fanOut, replies, limits, clock, awaited: { operations, work, clock } });
}

/** The way of every command. */
@Global()
@Declares({ routes: commandRoutes })
@Module({
  controllers: [AccessController, CancellationController],
  providers: [
    { provide: CommandMetrics, useFactory: () => new CommandMetrics() },
    { provide: DescriptorCounts, useFactory: () => new DescriptorCounts() },
    { provide: WorkMetricsToken, useExisting: CommandMetrics },
    { provide: IdempotencyStore, inject: [StateDirectory, OperationStore, LoggerToken], useFactory: idempotencyStore },
    {
      provide: CheckedCommandPath,
      inject: [
        ...[VmRegistry, Policy, AuditLog, CommandMetrics, OperationStore, WorkFollower, IdempotencyStore, ShownEvents],
        ...[SettingsToken, LoggerToken, CommandsElsewhereToken, DescriptorCounts],
      ],
      useFactory: commandPath,
    },
    {
      provide: FanOut,
      inject: [VmRegistry, CheckedCommandPath, CommandsElsewhereToken],
      useFactory: (registry: VmRegistry, path: CheckedCommandPath, elsewhere: CommandsElsewhere | null) =>
        new FanOut(registry, path, systemClock, () => elsewhere?.all() ?? []),
    },
    {
      provide: Lane,
      inject: [CheckedCommandPath, FanOut, ReplyBudget, OperationStore, WorkFollower, SettingsToken],
      useFactory: commandLane,
    },
    built(LimitedCommandPath, CheckedCommandPath, AccessControl),
    built(AccessExplainer, CheckedCommandPath, Policy),
  ],
  exports: [
    CommandMetrics,
    DescriptorCounts,
    WorkMetricsToken,
    IdempotencyStore,
    CheckedCommandPath,
    Lane,
    LimitedCommandPath,
  ],
})
export class CommandsModule {}
