import { Module } from '@nestjs/common';
import { AuditLog } from '../access/audit/audit-log.js';
import { Policy } from '../access/policy/policy.js';
import { CheckedCommandPath } from '../commands/command-path.js';
import { SettingsToken, type Settings } from '../settings/settings.js';
import { DescriptorPassing } from './descriptor-passing.js';
import { FdsController } from './fds.controller.js';
import { HostFiles } from './host-files.js';

/** Open files of the host for VMs. */
@Module({
  controllers: [FdsController],
  providers: [
    {
      provide: DescriptorPassing,
      inject: [SettingsToken, CheckedCommandPath, Policy, AuditLog],
      useFactory: (settings: Settings, path: CheckedCommandPath, policy: Policy, audit: AuditLog) =>
        new DescriptorPassing(new HostFiles(settings), path, policy, audit),
    },
  ],
})
export class FdsModule {}
