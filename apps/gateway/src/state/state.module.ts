import { Global, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { LoggerToken } from '../settings/logger.js';
import { SettingsToken, type Settings } from '../settings/settings.js';
import { GatewayIdentity } from './gateway-identity.js';
import { StateClaim } from './state-claim.js';
import { StateDirectory } from './state-directory.js';

function unclaimed(log: Logger): (fault: string) => void {
  return (error) =>
    log.warn({ error }, 'the state directory cannot be claimed: a second gateway on it would not be noticed');
}

/** What is kept on disk, and who this process is. */
@Global()
@Module({
  providers: [
    { provide: GatewayIdentity, useFactory: () => new GatewayIdentity() },
    {
      provide: StateClaim,
      inject: [SettingsToken, LoggerToken],
      useFactory: ({ state }: Settings, log: Logger) => StateClaim.make(new StateDirectory(state), unclaimed(log)),
    },
    {
      provide: StateDirectory,
      // Nothing is read or written before the directory is this gateway's own.
      inject: [StateClaim],
      useFactory: ({ state }: StateClaim) => {
        state.removeUnfinished();
        return state;
      },
    },
  ],
  exports: [GatewayIdentity, StateDirectory],
})
export class StateModule {}
