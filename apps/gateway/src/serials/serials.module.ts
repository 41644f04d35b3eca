import { Module } from '@nestjs/common';
import { systemClock } from '@qmp-gateway/qmp';
import { AuditLog } from '../access/audit/audit-log.js';
import { OwnSockets } from '../settings/own-sockets.js';
import { SettingsToken, type Settings } from '../settings/settings.js';
import { GatewayIdentity } from '../state/gateway-identity.js';
import { SocketLeavers } from '../upgrades/socket-connection.js';
import { StreamCounts } from '../upgrades/stream-counts.js';
import { VmNews } from '../vms/vm-news.js';
import { VmRegistry } from '../vms/vm-registry.js';
import { SerialLines } from './serial-lines.js';
import { SERIAL_STREAM_PARTS, type SerialStreamParts } from './serial-stream-parts.js';
import { SerialsController } from './serials.controller.js';
import { SerialsGateway } from './serials.gateway.js';

type StreamDependencies = [SerialLines, AuditLog, SocketLeavers, StreamCounts];
type LineDependencies = [Settings, VmNews, VmRegistry, GatewayIdentity];

function serialLines(...[settings, news, registry, { run }]: LineDependencies): SerialLines {
  let runs = 0;
  function* endpoints(): Generator<string> {
    for (const { definition, agent } of registry.all()) {
      yield definition.endpoint;
      if (agent !== null) yield agent.endpoint;
    }
  }
  return news.registered(
    new SerialLines({
      settings: settings.serials,
      rules: { paths: settings.serials.paths, own: new OwnSockets(settings), endpoints },
      claims: new Map(),
      nextRun: () => `${run}-${(++runs).toString(36)}`,
      clock: systemClock,
    }),
  );
}

/** Serial lines of VMs. */
@Module({
  controllers: [SerialsController],
  providers: [
    {
      provide: SerialLines,
      inject: [SettingsToken, VmNews, VmRegistry, GatewayIdentity],
      useFactory: serialLines,
    },
    {
      provide: SERIAL_STREAM_PARTS,
      inject: [SerialLines, AuditLog, SocketLeavers, StreamCounts],
      useFactory: (...[lines, audit, leavers, counts]: StreamDependencies): SerialStreamParts => ({
        ...{ lines, audit, leavers, counts },
      }),
    },
    SerialsGateway,
  ],
})
export class SerialsModule {}
