import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { serveFiles } from './chromium.js';
import { root } from './documented-commands.js';
import type { GatewayScene } from './gateway-scene.js';

/**
 * Serves a page of `examples`, with what it says must be beside it: the client, and more.
 * @param more folders of the repository, by where they are served
 * @returns its origin
 */
export function serveExample(
  scene: GatewayScene,
  name: string,
  more: Readonly<Record<string, string>>,
): Promise<string> {
  const folders = { '/client/': 'libs/client/dist', ...more, '/': `examples/${name}` };
  return serveFiles(scene, (url) => {
    const [prefix = '/', within = ''] = Object.entries(folders).find(([start]) => url.startsWith(start)) ?? [];
    const folder = path.join(root, within);
    const file = path.join(folder, url === '/' ? 'index.html' : url.slice(prefix.length));
    return file.startsWith(folder) && existsSync(file) ? readFileSync(file) : undefined;
  });
}

/** Keeps a picture of a page in the folder that the environment names, for people to look at. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env['QMPGW_TEST_PICTURES'];
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: path.join(folder, `${name}.png`) });
}
