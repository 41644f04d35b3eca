import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Scene } from '@qmp-gateway/test-kit';
import { chromium, type Browser } from 'playwright-core';

const types: Readonly<Record<string, string>> = { '': 'text/html', '.html': 'text/html', '.css': 'text/css' };

/** Starts Debian's Chromium without a window, with more flags; it talks to nobody but the pages opened in it. */
export function launchChromium(...flags: string[]): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      ...flags,
    ],
  });
}

/** Serves a page to browsers at an origin of its own, as long as the scene lasts. @returns the origin */
export function servePage(scene: Scene, html: string | Buffer): Promise<string> {
  return serveFiles(scene, () => html);
}

/**
 * The same with what belongs to a page: `/` is a page, all else is a script.
 * @param fileOf what is at a path; undefined for nothing
 */
export async function serveFiles(scene: Scene, fileOf: (url: string) => string | Buffer | undefined): Promise<string> {
  const server = createServer(({ url = '/' }, response) => {
    const file = fileOf(url);
    const type = types[path.extname(url)] ?? 'text/javascript';
    response.writeHead(file === undefined ? 404 : 200, { 'Content-Type': type }).end(file);
  });
  scene.keep(server, () => {
    server.closeAllConnections();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
