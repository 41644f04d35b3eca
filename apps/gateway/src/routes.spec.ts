import type { INestApplication } from '@nestjs/common';
import { makeTempDir, removeTempDir } from '@qmp-gateway/test-kit';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resourceBook } from './app.module.js';
import { createApplication } from './application.js';
import { commandRoutes } from './commands/command-routes.js';
import { loadSettings } from './settings/load-settings.js';
import { ownSegments } from './settings/public-url.js';

/** The part of Express' router that is looked at. */
interface ExpressRouter {
  readonly stack: readonly { readonly route?: { readonly path: string; readonly methods: Record<string, boolean> } }[];
}

const directory = makeTempDir();
let application: INestApplication;

/** The whole gateway, as it runs, without VMs. */
beforeAll(async () => {
  const settings = loadSettings({ listen: ['127.0.0.1:0'], state: directory });
  application = await createApplication(settings, pino({ level: 'silent' }));
  await application.init();
});
afterAll(async () => {
  await application.close();
  removeTempDir(directory);
});

const ofLane = commandRoutes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
const documented = Object.entries(resourceBook().documents.paths).flatMap(([path, { parameters: _, ...item }]) =>
  Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
);

describe('the routes of the application', () => {
  it('are those of the document, but for the command lane, which no router sees', () => {
    const { stack } = (application.getHttpAdapter().getInstance() as { router: ExpressRouter }).router;
    const routed = stack.flatMap(({ route }) =>
      Object.keys(route?.methods ?? {}).map(
        (method) => `${method.toUpperCase()} ${(route?.path ?? '').replaceAll(/[:*](\w+)/g, '{$1}')}`,
      ),
    );
    expect(new Set(routed).size).toBe(routed.length);
    expect([...routed, ...ofLane].sort()).toEqual(documented.sort());
  });

  it('begin with what the path of publicUrl may not begin with', () => {
    const paths = Object.keys(resourceBook().documents.paths);
    expect(new Set(paths.map((path) => path.split('/')[1]).filter((segment) => segment !== ''))).toEqual(
      new Set(ownSegments),
    );
  });
});
