import { Module, type DynamicModule } from '@nestjs/common';
import type { Logger } from 'pino';
import { LoggerToken } from './logger.js';
import { SettingsToken, type Settings } from './settings.js';

/** What the command line has read, for everyone. */
@Module({})
export class SettingsModule {
  static of(settings: Settings, log: Logger): DynamicModule {
    return {
      module: SettingsModule,
      global: true,
      providers: [
        { provide: SettingsToken, useValue: settings },
        { provide: LoggerToken, useValue: log },
      ],
      exports: [SettingsToken, LoggerToken],
    };
  }
}
