import { Module } from '@nestjs/common';
import { AuditLog } from '../access/audit/audit-log.js';
import type { FleetMember } from '../fleet/fleet-member.js';
import { FleetMemberToken } from '../fleet/fleet-dependencies.js';
import { GatewayIdentity } from '../state/gateway-identity.js';
import { VmDirectory } from '../vms/vm-directory.js';
import { VmRegistry } from '../vms/vm-registry.js';
import { FleetNodes } from './fleet-nodes.js';
import { NodesController } from './nodes.controller.js';

type NodesDependencies = [FleetMember | null, GatewayIdentity, VmRegistry, VmDirectory, AuditLog];

/** The gateways of a fleet. */
@Module({
  controllers: [NodesController],
  providers: [
    {
      provide: FleetNodes,
      inject: [FleetMemberToken, GatewayIdentity, VmRegistry, VmDirectory, AuditLog],
      useFactory: (...[member, identity, registry, directory, audit]: NodesDependencies) =>
        new FleetNodes(member, identity, { registry, directory }, audit),
    },
  ],
})
export class NodesModule {}
