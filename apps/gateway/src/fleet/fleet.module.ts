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
import { FleetEvents } from './events/fleet-events.js';
import { FleetExchanges, FleetExchangesToken } from './exchanges/fleet-exchanges.js';
import { FleetLife } from './fleet-life.js';
import { FleetLink } from './fleet-link.js';
import { FleetMember } from './fleet-member.js';
import type { FleetView } from './fleet-view.js';
import { nodeIdentity } from './node-identity.js';

/** A {@link FleetLink} as a dependency; null without `fleet` in the settings. */
export const FleetLinkToken = Symbol('fleetLink');
/** {@link FleetEvents} as a dependency; null without `fleet` in the settings. */
export const FleetEventsToken = Symbol('fleetEvents');
/** A {@link FleetMember} as a dependency; null without `fleet` in the settings. */
export const FleetMemberToken = Symbol('fleetMember');

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

function fleetMember(
  ...[link, events, state, { version }, registry, vms, news, tokens, log]: MemberDependencies
): FleetMember | null {
  if (link === null || events === null) return null;
  const parts = { link, events: events.side, version, registry, vms, news, tokens, log };
  const member = new FleetMember({ ...parts, identity: nodeIdentity(state), clock: systemClock });
  events.onFault((subject, fault) => member.faults.set(subject, fault));
  return member;
}

function fleetExchanges(
  ...[link, member, registry, audit, { limits }]: [FleetLink | null, FleetMember | null, VmRegistry, AuditLog, Settings]
): FleetExchanges | null {
  const view = member?.directory ?? ownOnly;
  return link === null ? null : new FleetExchanges(link, { view, registry, audit, limits });
}

/** Several gateways as one, over NATS. Nothing of NATS is loaded, and nothing here runs, without the setting. */
@Global()
@Module({
  providers: [
    {
      provide: FleetLinkToken,
      inject: [SettingsToken, GatewayIdentity, LoggerToken],
      useFactory: ({ fleet }: Settings, { run }: GatewayIdentity, log: Logger) =>
        fleet === undefined ? null : new FleetLink(fleet, run, log),
    },
    {
      provide: FleetEventsToken,
      inject: [FleetLinkToken, ShownEvents, SettingsToken, LoggerToken],
      useFactory: (link: FleetLink | null, shown: ShownEvents, { history }: Settings, log: Logger) =>
        link === null ? null : new FleetEvents({ link, shown, history, log }),
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
