import { Module } from '@nestjs/common';
import { AuditLog } from '../access/audit/audit-log.js';
import { Policy } from '../access/policy/policy.js';
import { CheckedCommandPath } from '../commands/command-path.js';
import { OperationNews } from '../operations/operation-news.js';
import { OperationStore } from '../operations/operation-store.js';
import { SettingsToken, type Settings } from '../settings/settings.js';
import { VmNews } from '../vms/vm-news.js';
import { DescriptorPassing } from './descriptor-passing.js';
import { DescriptorWatch } from './descriptor-watch.js';
import { FdsController } from './fds.controller.js';
import { HostFiles } from './host-files.js';

/** Open files of the host for VMs. */
@Module({
  controllers: [FdsController],
  providers: [
    {
      provide: DescriptorPassing,
      inject: [SettingsToken, CheckedCommandPath, Policy, AuditLog, OperationStore],
      useFactory: (
        ...[settings, path, policy, audit, operations]: [Settings, CheckedCommandPath, Policy, AuditLog, OperationStore]
      ) => new DescriptorPassing({ files: new HostFiles(settings), path, policy, audit, operations }),
    },
    {
      provide: DescriptorWatch,
      inject: [VmNews, OperationStore, OperationNews],
      useFactory: (news: VmNews, operations: OperationStore, events: OperationNews) =>
        news.registered(new DescriptorWatch(operations, events)),
    },
  ],
})
export class FdsModule {}
