import { Module, type DynamicModule } from '@nestjs/common';
import type { Logger } from 'pino';
import { AccessModule } from './access/access.module.js';
import { AgentModule } from './agent/agent.module.js';
import { CommandsModule } from './commands/commands.module.js';
import { ConsoleModule } from './console/console.module.js';
import { FdsModule } from './descriptors/fds.module.js';
import { DisplaysModule } from './displays/displays.module.js';
import { EntranceModule } from './entrance/entrance.module.js';
import { EventsModule } from './events/events.module.js';
import { FleetModule } from './fleet/fleet.module.js';
import { HealthModule } from './health/health.module.js';
import { HttpModule } from './http/http.module.js';
import { declarationsOf } from './http/resource/module-declarations.js';
import { ResourceBook } from './http/resource/resource-book.js';
import { JournalModule } from './journal/journal.module.js';
import { KeysModule } from './keys/keys.module.js';
import { Lifecycle } from './lifecycle.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { NodesModule } from './nodes/nodes.module.js';
import { OperationsModule } from './operations/operations.module.js';
import { Parts } from './parts.js';
import { QomModule } from './qom/qom.module.js';
import { Reload } from './reload.js';
import { problemRows } from './schemas/schema-documents.js';
import { SchemasModule } from './schemas/schemas.module.js';
import { ScreenModule } from './screen/screen.module.js';
import { SerialsModule } from './serials/serials.module.js';
import type { Settings } from './settings/settings.js';
import { SettingsModule } from './settings/settings.module.js';
import { SocketsModule } from './sockets/sockets.module.js';
import { StateModule } from './state/state.module.js';
import { UpgradesModule } from './upgrades/upgrades.module.js';
import { VncModule } from './vnc/vnc.module.js';
import { VmsModule } from './vms/vms.module.js';

/** A resource is its own folder, and its line here. Rooms that all resources build on are global modules. */
const modules = [
  ...[HealthModule, MetricsModule, AgentModule, QomModule, ScreenModule, KeysModule, DisplaysModule, SerialsModule],
  ...[NodesModule, FdsModule, ConsoleModule],
  ...[
    EntranceModule,
    SocketsModule,
    UpgradesModule,
    VncModule,
    CommandsModule,
    OperationsModule,
    EventsModule,
    JournalModule,
  ],
  ...[FleetModule, VmsModule, SchemasModule, AccessModule, StateModule],
];

/** All resources of the gateway itself, as the modules declare them. */
export function resourceBook(): ResourceBook {
  return new ResourceBook(declarationsOf([...modules, HttpModule]), problemRows);
}

/** The whole gateway. */
@Module({})
export class AppModule {
  static of(settings: Settings, log: Logger): DynamicModule {
    return {
      module: AppModule,
      imports: [SettingsModule.of(settings, log), HttpModule.of(resourceBook()), ...modules],
      providers: [Parts, Lifecycle, Reload],
    };
  }
}
