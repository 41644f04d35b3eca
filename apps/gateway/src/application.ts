import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { AppModule } from './app.module.js';
import { Dispatcher } from './entrance/dispatcher.js';
import { JsonAnswer } from './http/json-answer.js';
import { knownRoute } from './http/known-route.js';
import { RouteTable } from './http/route-table.js';
import { strictJsonBody } from './http/strict-json-body.js';
import { beginLinksWith } from './settings/links.js';
import type { Settings } from './settings/settings.js';
import { QmpWsAdapter } from './sockets/qmp-ws-adapter.js';
import { SocketRouter } from './upgrades/socket-router.js';

/** Express behind the dispatcher: it gets the requests that the listeners take and the command lane does not. */
class DispatchedExpressAdapter extends ExpressAdapter {
  /** Nest requires a server of its own; this one never listens. */
  override initHttpServer(): void {
    this.httpServer = createServer();
  }

  override reply(response: ServerResponse, body: unknown, status?: number): unknown {
    if (!(body instanceof JsonAnswer)) return super.reply(response, body, status);
    body.send(response);
    return response;
  }
}

/** The few members of an Express application that are used here. */
interface ExpressApplication {
  disable(setting: string): void;
  use(handler: unknown): void;
}

/** A gateway that is put together and not yet started: `init` starts it. @throws SettingsError when files that the settings name can't be used */
export async function createApplication(settings: Settings, log: Logger): Promise<INestApplication> {
  beginLinksWith(settings.publicUrl?.base ?? '');
  const adapter = new DispatchedExpressAdapter();
  const application = await NestFactory.create(AppModule.of(settings, log), adapter, {
    abortOnError: false,
    bodyParser: false,
    logger: false,
  });
  const express = adapter.getInstance<RequestListener & ExpressApplication>();
  const routes = application.get(RouteTable);
  express.disable('x-powered-by');
  express.disable('etag');
  express.use(knownRoute(routes));
  express.use(strictJsonBody(settings.limits, routes));
  application.useWebSocketAdapter(new QmpWsAdapter(application.get(SocketRouter, { strict: false })));
  application.get(Dispatcher, { strict: false }).handOthersTo(express);
  return application;
}
