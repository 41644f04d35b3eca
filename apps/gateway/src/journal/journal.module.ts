import { Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { LoggerToken } from '../settings/logger.js';
import { VmNews } from '../vms/vm-news.js';
import { VmJournal } from './vm-journal.js';
import { VmLog } from './vm-log.js';

/** What the log says of VMs. */
@Module({
  providers: [
    {
      provide: VmJournal,
      inject: [VmNews, LoggerToken],
      useFactory: (news: VmNews, log: Logger) => news.registered(new VmJournal(log)),
    },
    {
      provide: VmLog,
      inject: [VmNews, LoggerToken],
      useFactory: (news: VmNews, log: Logger) => news.registered(new VmLog(log)),
    },
  ],
})
export class JournalModule {}
