import { Global, Module } from '@nestjs/common';
import { Declares } from '../http/resource/module-declarations.js';
import { SettingsToken, type Settings } from '../settings/settings.js';
import { GatewayIdentity } from '../state/gateway-identity.js';
import { EventPositionToken, VmDirectory } from '../vms/vm-directory.js';
import { VmNews } from '../vms/vm-news.js';
import { VmShape } from '../vms/vm-shapes.js';
import { EventHub } from './event-hub.js';
import { EventGapShape, StreamEventShape } from './event-shapes.js';
import { EventsController } from './events.controller.js';
import { ShownEvents } from './shown-events.js';
import { VmPublisher } from './vm-publisher.js';

/** Events of all VMs in one sequence, and who hears them. */
@Global()
@Declares({ messages: [StreamEventShape, EventGapShape, VmShape] })
@Module({
  controllers: [EventsController],
  providers: [
    {
      provide: EventHub,
      inject: [GatewayIdentity, SettingsToken],
      useFactory: ({ run }: GatewayIdentity, { history, limits }: Settings) =>
        new EventHub({ run, history, subscriptions: limits.connections }),
    },
    {
      provide: ShownEvents,
      inject: [EventHub, GatewayIdentity, SettingsToken],
      // Until the fleet's stream is known its hub has a run that no cursor survives.
      useFactory: (hub: EventHub, { run }: GatewayIdentity, { history, limits, fleet }: Settings) =>
        new ShownEvents(
          hub,
          fleet?.serve === true
            ? new EventHub({ run: `${run}w`, history, subscriptions: limits.connections })
            : undefined,
        ),
    },
    { provide: EventPositionToken, useExisting: ShownEvents },
    {
      provide: VmPublisher,
      inject: [VmNews, EventHub, VmDirectory],
      useFactory: (news: VmNews, hub: EventHub, directory: VmDirectory) =>
        news.registered(new VmPublisher(hub, directory)),
    },
  ],
  exports: [EventHub, ShownEvents, EventPositionToken, VmPublisher],
})
export class EventsModule {}
