import { Global, Module } from '@nestjs/common';
import { SettingsToken, type Settings } from '../settings/settings.js';
import { GatewayIdentity } from './gateway-identity.js';
import { StateDirectory } from './state-directory.js';

/** What is kept on disk, and who this process is. */
@Global()
@Module({
  providers: [
    { provide: GatewayIdentity, useFactory: () => new GatewayIdentity() },
    {
      provide: StateDirectory,
      inject: [SettingsToken],
      useFactory: ({ state }: Settings) => {
        const directory = new StateDirectory(state);
        directory.removeUnfinished();
        return directory;
      },
    },
  ],
  exports: [GatewayIdentity, StateDirectory],
})
export class StateModule {}
