import { Global, Module } from '@nestjs/common';
import { systemClock } from '@qmp-gateway/qmp';
import type { Logger } from 'pino';
import { AuditLog } from '../access/audit/audit-log.js';
import { TokenStore } from '../access/tokens/token-store.js';
import { CommandsElsewhereToken } from '../commands/commands-elsewhere.js';
import { ShownEvents } from '../events/shown-events.js';
import { LoggerToken } from '../settings/logger.js';
import { SettingsToken, type Settings } from '../settings/settings.js';
import { GatewayIdentity } from '../state/gateway-identity.js';
import { StateDirectory } from '../state/state-directory.js';
import { VmDirectory } from '../vms/vm-directory.js';
import { VmNews } from '../vms/vm-news.js';
import { VmRegistry } from '../vms/vm-registry.js';
import type { FleetEvents } from './events/fleet-events.js';
import type { FleetExchanges } from './exchanges/fleet-exchanges.js';
import { FleetEventsToken, FleetExchangesToken, FleetLinkToken, FleetMemberToken } from './fleet-dependencies.js';
import { FleetLife } from './fleet-life.js';
import type { FleetLink } from './fleet-link.js';
import type { FleetMember } from './fleet-member.js';
import type { FleetView } from './fleet-view.js';

type MemberDependencies = [
  FleetLink | null,
  FleetEvents | null,
  StateDirectory,
  GatewayIdentity,
  VmRegistry,
  VmDirectory,
  VmNews,
  TokenStore,
  Logger,
];

/** What a node knows that only owns VMs: it hands nothing over. */
const ownOnly: FleetView = { find: () => [], node: () => undefined, all: () => [].values() };

async function fleetMember(
  ...[link, events, state, { version }, registry, vms, news, tokens, log]: MemberDependencies
): Promise<FleetMember | null> {
  if (link === null || events === null) return null;
  const [{ FleetMember }, { nodeIdentity }] = await Promise.all([
    import('./fleet-member.js'),
    import('./node-identity.js'),
  ]);
  const parts = { link, events: events.side, version, registry, vms, news, tokens, log };
  const member = new FleetMember({ ...parts, identity: nodeIdentity(state), clock: systemClock });
  events.onFault((subject, fault) => member.faults.set(subject, fault));
  return member;
}

async function fleetExchanges(
  ...[link, member, registry, audit, { limits }]: [FleetLink | null, FleetMember | null, VmRegistry, AuditLog, Settings]
): Promise<FleetExchanges | null> {
  if (link === null) return null;
  const { FleetExchanges } = await import('./exchanges/fleet-exchanges.js');
  return new FleetExchanges(link, { view: member?.directory ?? ownOnly, registry, audit, limits });
}

async function fleetLink({ fleet }: Settings, { run }: GatewayIdentity, log: Logger): Promise<FleetLink | null> {
  if (fleet === undefined) return null;
  const { FleetLink } = await import('./fleet-link.js');
  return new FleetLink(fleet, run, log);
}

async function fleetEvents(
  ...[link, shown, { history }, log]: [FleetLink | null, ShownEvents, Settings, Logger]
): Promise<FleetEvents | null> {
  if (link === null) return null;
  const { FleetEvents } = await import('./events/fleet-events.js');
  return new FleetEvents({ link, shown, history, log });
}

/** Several gateways as one, over NATS. Nothing of NATS or of this room is loaded, and nothing here runs, without the setting. */
@Global()
@Module({
  providers: [
    {
      provide: FleetLinkToken,
      inject: [SettingsToken, GatewayIdentity, LoggerToken],
      useFactory: fleetLink,
    },
    {
      provide: FleetEventsToken,
      inject: [FleetLinkToken, ShownEvents, SettingsToken, LoggerToken],
      useFactory: fleetEvents,
    },
    {
      provide: FleetLife,
      inject: [FleetLinkToken, FleetEventsToken],
      useFactory: (link: FleetLink | null, events: FleetEvents | null) => new FleetLife(link, events),
    },
    {
      provide: FleetMemberToken,
      inject: [
        ...[FleetLinkToken, FleetEventsToken, StateDirectory, GatewayIdentity, VmRegistry, VmDirectory],
        ...[VmNews, TokenStore, LoggerToken],
      ],
      useFactory: fleetMember,
    },
    {
      provide: FleetExchangesToken,
      inject: [FleetLinkToken, FleetMemberToken, VmRegistry, AuditLog, SettingsToken],
      useFactory: fleetExchanges,
    },
    {
      provide: CommandsElsewhereToken,
      inject: [FleetExchangesToken],
      useFactory: (exchanges: FleetExchanges | null) => exchanges?.forwarder ?? null,
    },
  ],
  exports: [CommandsElsewhereToken, FleetLinkToken, FleetEventsToken, FleetMemberToken, FleetExchangesToken],
})
export class FleetModule {}
