import { Module } from '@nestjs/common';
import { SettingsToken, type Settings } from '../settings/settings.js';
import { AgentTasks } from './agent-tasks.js';
import { AgentController } from './agent.controller.js';
import { ExecController } from './exec.controller.js';
import { FileLimits, FilesController } from './files.controller.js';

/** What the guest agent of a VM does: programs and files of the guest. */
@Module({
  controllers: [AgentController, ExecController, FilesController],
  providers: [
    { provide: FileLimits, inject: [SettingsToken], useFactory: ({ limits }: Settings) => new FileLimits(limits) },
    { provide: AgentTasks, useFactory: () => new AgentTasks() },
  ],
})
export class AgentModule {}
