import { Module } from '@nestjs/common';
import { CommandMetrics } from '../commands/command-metrics.js';
import { DescriptorCounts } from '../commands/descriptor-counts.js';
import { ShownEvents } from '../events/shown-events.js';
import type { FleetEvents } from '../fleet/events/fleet-events.js';
import type { FleetMember } from '../fleet/fleet-member.js';
import { FleetEventsToken, FleetMemberToken } from '../fleet/fleet-dependencies.js';
import { GatewayIdentity } from '../state/gateway-identity.js';
import { StreamCounts } from '../upgrades/stream-counts.js';
import { VmRegistry } from '../vms/vm-registry.js';
import { GatewayMetrics } from './gateway-metrics.js';
import { MetricsController } from './metrics.controller.js';

/** Numbers for Prometheus. */
@Module({
  controllers: [MetricsController],
  providers: [
    {
      provide: GatewayMetrics,
      inject: [
        ...[VmRegistry, CommandMetrics, ShownEvents, StreamCounts, FleetEventsToken, GatewayIdentity],
        FleetMemberToken,
        DescriptorCounts,
      ],
      useFactory: (
        ...[vms, commands, events, streams, fleetEvents, { version }, fleet, descriptors]: [
          VmRegistry,
          CommandMetrics,
          ShownEvents,
          StreamCounts,
          FleetEvents | null,
          GatewayIdentity,
          FleetMember | null,
          DescriptorCounts,
        ]
      ) => new GatewayMetrics({ vms, commands, events, streams, descriptors, fleetEvents, version, fleet }),
    },
  ],
})
export class MetricsModule {}
