import { Global, Module } from '@nestjs/common';
import { Semaphore, type TlsOptions } from '@qmp-gateway/qmp';
import type { Logger } from 'pino';
import { AuditLog } from '../access/audit/audit-log.js';
import { SchemaStore } from '../schemas/schema-store.js';
import { LoggerToken } from '../settings/logger.js';
import { OwnSockets } from '../settings/own-sockets.js';
import { SettingsToken, type Settings } from '../settings/settings.js';
import { GatewayIdentity } from '../state/gateway-identity.js';
import { StateDirectory } from '../state/state-directory.js';
import { built } from '../settings/built.js';
import { descriptorPassage } from './descriptor-passage.js';
import { VmDiscovery } from './discovery/vm-discovery.js';
import { Epochs } from './epochs.js';
import { SchemasController } from './schemas.controller.js';
import { VmAdministration } from './vm-administration.js';
import { EventPositionToken, VmDirectory, type EventPosition } from './vm-directory.js';
import { VmNews } from './vm-news.js';
import { VmRegistry } from './vm-registry.js';
import { loadVmTls } from './vm-tls.js';
import { VmsController } from './vms.controller.js';
import type { VmSurroundings } from './vm.js';

/** Dials under way at once, over all VMs. */
const simultaneousDials = 64;

/** What every VM is made with, as a dependency: {@link VmSurroundings}. */
const VmSurroundingsToken = Symbol('vmSurroundings');
/** TLS of VMs by id, as a dependency: a map that a reload renews. */
export const VmTlsToken = Symbol('vmTls');

/** Which VMs there are, and the connection to each. */
@Global()
@Module({
  controllers: [VmsController, SchemasController],
  providers: [
    { provide: VmNews, useFactory: () => new VmNews() },
    { provide: VmTlsToken, inject: [SettingsToken], useFactory: ({ vms }: Settings) => loadVmTls(vms) },
    { provide: Epochs, inject: [GatewayIdentity], useFactory: ({ run }: GatewayIdentity) => new Epochs(run) },
    {
      provide: VmSurroundingsToken,
      inject: [SettingsToken, VmNews, SchemaStore, VmTlsToken, Epochs],
      useFactory: (
        ...[{ limits }, observer, schemas, tls, epochs]: [
          Settings,
          VmNews,
          SchemaStore,
          Map<string, TlsOptions>,
          Epochs,
        ]
      ): VmSurroundings => ({
        ...{ observer, schemas, tls, limits, epochs },
        monitorOptions: {
          dialGate: new Semaphore(simultaneousDials),
          lineBytes: limits.lineBytes,
          descriptorPassage: descriptorPassage(),
        },
      }),
    },
    {
      provide: VmRegistry,
      inject: [StateDirectory, VmSurroundingsToken, LoggerToken],
      useFactory: (state: StateDirectory, surroundings: VmSurroundings, log: Logger) =>
        new VmRegistry(state, surroundings, log),
    },
    {
      provide: VmDiscovery,
      inject: [VmRegistry, LoggerToken],
      useFactory: (registry: VmRegistry, log: Logger) => new VmDiscovery(registry, log),
    },
    {
      provide: VmDirectory,
      inject: [VmRegistry, EventPositionToken],
      useFactory: (registry: VmRegistry, events: EventPosition) => new VmDirectory(registry, events),
    },
    { provide: OwnSockets, inject: [SettingsToken], useFactory: (settings: Settings) => new OwnSockets(settings) },
    built(VmAdministration, VmRegistry, AuditLog, OwnSockets),
  ],
  exports: [VmNews, VmTlsToken, VmRegistry, VmDiscovery, VmDirectory],
})
export class VmsModule {}
