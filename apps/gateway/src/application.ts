import 'reflect-metadata';
import { Module, type DynamicModule, type INestApplication, type Type } from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { RequestListener, Server } from 'node:http';
import { AccessController } from './access/access.controller.js';
import { AccessExplainer } from './access/access-explainer.js';
import { SessionController } from './access/session.controller.js';
import { SessionStore } from './access/session-store.js';
import { TokenAdministration } from './access/token-administration.js';
import { TokensController } from './access/tokens.controller.js';
import { AgentController } from './agent/agent.controller.js';
import { ExecController } from './agent/exec.controller.js';
import { AgentTasks } from './agent/agent-tasks.js';
import { FileLimits, FilesController } from './agent/files.controller.js';
import { CheckedCommandPath } from './commands/command-path.js';
import { ReplyBudget } from './commands/reply-budget.js';
import { EventHub } from './events/event-hub.js';
import { EventsController } from './events/events.controller.js';
import { VM_DIRECTORY } from './events/vm-directory.js';
import type { Gateway } from './gateway.js';
import { GatewayIdentity } from './health/gateway-identity.js';
import { HealthController } from './health/health.controller.js';
import { Keyboards } from './keys/keyboards.js';
import { KeysController } from './keys/keys.controller.js';
import { RouteTable } from './listeners/route-table.js';
import { strictJsonBody } from './listeners/strict-json-body.js';
import { GatewayMetrics } from './metrics/gateway-metrics.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { OperationDesk } from './operations/operation-desk.js';
import { OperationsController } from './operations/operations.controller.js';
import { ProblemFilter } from './problems/problem.filter.js';
import { ProblemsController } from './problems/problems.controller.js';
import { QomController } from './qom/qom.controller.js';
import { DocumentsController } from './schemas/documents.controller.js';
import { mountDocs } from './schemas/docs-page.js';
import { SchemaDocuments } from './schemas/schema-documents.js';
import { SchemasController } from './schemas/schemas.controller.js';
import { ScreenController } from './screen/screen.controller.js';
import { Screenshots } from './screen/screenshots.js';
import { LoggerToken } from './settings/logger.js';
import { QmpWsAdapter } from './sockets/qmp-ws-adapter.js';
import { socketProviders } from './sockets/socket-providers.js';
import { UpgradeRequiredController } from './sockets/upgrade-required.controller.js';
import { VmAdministration } from './vms/vm-administration.js';
import { VmDirectory } from './vms/vm-directory.js';
import { VmsController } from './vms/vms.controller.js';

/** Express behind servers that exist already: the listeners own them, and hand over what is not the command lane's. */
class LaneFirstExpressAdapter extends ExpressAdapter {
  constructor(private readonly primary: Server) {
    super();
  }

  override initHttpServer(): void {
    this.httpServer = this.primary;
  }
}

@Module({})
class GatewayModule {
  static of(gateway: Gateway): DynamicModule {
    const provide = <T>(token: Type<T> | symbol, useValue: T) => ({ provide: token, useValue });
    return {
      module: GatewayModule,
      controllers: [
        HealthController,
        VmsController,
        OperationsController,
        QomController,
        ScreenController,
        KeysController,
        EventsController,
        UpgradeRequiredController,
        AccessController,
        TokensController,
        SessionController,
        SchemasController,
        DocumentsController,
        AgentController,
        ExecController,
        FilesController,
        ProblemsController,
        MetricsController,
      ],
      providers: [
        provide(LoggerToken, gateway.log),
        provide(GatewayIdentity, gateway.identity),
        provide(VmDirectory, gateway.directory),
        provide(VM_DIRECTORY, gateway.directory),
        provide(VmAdministration, gateway.administration),
        provide(TokenAdministration, new TokenAdministration(gateway.tokens, gateway.audit)),
        provide(AccessExplainer, new AccessExplainer(gateway.path, gateway.policy)),
        provide(SessionStore, gateway.access.sessions),
        provide(CheckedCommandPath, gateway.path),
        provide(ReplyBudget, gateway.replies),
        provide(FileLimits, new FileLimits(gateway.settings.limits)),
        provide(AgentTasks, new AgentTasks()),
        provide(Keyboards, new Keyboards()),
        provide(Screenshots, new Screenshots(gateway.pictures)),
        provide(OperationDesk, gateway.operationDesk),
        provide(EventHub, gateway.hub),
        provide(
          GatewayMetrics,
          new GatewayMetrics(gateway.registry, gateway.metrics, gateway.hub, gateway.identity.version),
        ),
        provide(SchemaDocuments, new SchemaDocuments()),
        ...socketProviders(gateway.socketParts),
        RouteTable,
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
    };
  }
}

/** The little of an Express application that is used here. */
type ExpressApplication = Parameters<RouteTable['read']>[0] & {
  disable(setting: string): void;
  use(handler: unknown): void;
};

/** Nest over the gateway's parts; requests reach it through the dispatcher. */
export async function createApplication(gateway: Gateway): Promise<INestApplication> {
  const [primary] = gateway.listeners;
  if (primary === undefined) throw new Error('a gateway without listeners');
  const adapter = new LaneFirstExpressAdapter(primary.server);
  const application = await NestFactory.create(GatewayModule.of(gateway), adapter, {
    bodyParser: false,
    logger: false,
  });
  const express = adapter.getInstance<RequestListener & ExpressApplication>();
  express.disable('x-powered-by');
  express.disable('etag');
  express.use(strictJsonBody(gateway.settings.limits));
  mountDocs(express);
  application.useWebSocketAdapter(new QmpWsAdapter(gateway.sockets));
  await application.init();
  application.get(RouteTable).read(express);
  gateway.dispatcher.handOthersTo(express);
  return application;
}
