import { Module } from '@nestjs/common';
import { systemClock } from '@qmp-gateway/qmp';
import { AuditLog } from '../access/audit/audit-log.js';
import { SettingsToken, type Settings } from '../settings/settings.js';
import { SocketLeavers } from '../upgrades/socket-connection.js';
import { StreamCounts } from '../upgrades/stream-counts.js';
import { DisplaySockets } from '../vnc/display-sockets.js';
import { VncDisplays } from '../vnc/vnc-displays.js';
import type { DisplayParts } from './display-connection.js';
import { DisplaySeats } from './display-seats.js';
import { Displays } from './displays.js';
import { DisplaysController } from './displays.controller.js';
import { DisplayPartsToken, DisplaysGateway } from './displays.gateway.js';

type Dependencies = [VncDisplays, DisplaySeats, SocketLeavers, AuditLog, StreamCounts, Settings];

/** What a VM shows, live, and keys and pointer for it. */
@Module({
  controllers: [DisplaysController],
  providers: [
    {
      provide: DisplaySeats,
      inject: [SettingsToken],
      useFactory: ({ limits }: Settings) => new DisplaySeats(limits),
    },
    {
      provide: Displays,
      inject: [VncDisplays, DisplaySockets, DisplaySeats],
      useFactory: (vnc: VncDisplays, sockets: DisplaySockets, seats: DisplaySeats) => new Displays(vnc, sockets, seats),
    },
    {
      provide: DisplayPartsToken,
      inject: [VncDisplays, DisplaySeats, SocketLeavers, AuditLog, StreamCounts, SettingsToken],
      useFactory: (...dependencies: Dependencies): DisplayParts => {
        const [displays, seats, leavers, audit, counts, { limits }] = dependencies;
        return { ...{ displays, seats, leavers, audit, counts, limits, clock: systemClock } };
      },
    },
    DisplaysGateway,
  ],
})
export class DisplaysModule {}
