import { Global, Module } from '@nestjs/common';
import { StateDirectory } from '../state/state-directory.js';
import { DisplaySockets } from './display-sockets.js';
import { VncDisplays } from './vnc-displays.js';

/** VNC displays of VMs, for those who show them. */
@Global()
@Module({
  providers: [
    {
      provide: DisplaySockets,
      inject: [StateDirectory],
      useFactory: (state: StateDirectory) => new DisplaySockets(state.file('displays')),
    },
    {
      provide: VncDisplays,
      inject: [DisplaySockets],
      useFactory: (sockets: DisplaySockets) => new VncDisplays(sockets),
    },
  ],
  exports: [DisplaySockets, VncDisplays],
})
export class VncModule {}
