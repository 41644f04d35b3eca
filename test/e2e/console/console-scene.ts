/** The built console in a real Chromium, on a gateway of the test. */
import axe from 'axe-core';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bootLinuxGuest, type LinuxGuest } from '@qmp-gateway/test-kit';
import type { BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';
import { launchChromium } from '../chromium.js';
import type { GatewayProcess } from '../gateway-process.js';
import type { GatewayScene } from '../gateway-scene.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** What `npm run build` makes. */
const builtConsole = path.join(root, 'apps/gateway/assets/console');
/** Pictures of each view, for people to look at. */
const pictures = process.env['QMPGW_TEST_PICTURES'] ?? path.join(root, '.cache/console-pictures');
/** For whatever waits on a machine that does other things too. */
export const patience = { timeout: 30_000 };

/** A real Linux with a screen, and a serial line at `console` in a directory where the gateway looks for such. */
export function bootConsoleGuest(
  scene: GatewayScene,
  directory: string,
  args: readonly string[] = [],
): Promise<LinuxGuest> {
  const line = `socket,id=console,path=${path.join(directory, 'console')},server=on,wait=off`;
  const serial = ['-chardev', line, '-device', 'virtconsole,chardev=console,id=hvc'];
  const screen = ['-device', 'VGA', '-vnc', 'none', '-append', 'console=tty0 console=ttyS0 panic=-1'];
  return scene.start(bootLinuxGuest({ args: [...args, ...serial, ...screen] }), (booted) => booted.stop());
}

/** A browser in which nobody is signed in yet, and what went wrong in its pages. */
export class ConsoleBrowser {
  /** Errors and refusals of the page's policy, which a test expects to be none. */
  readonly faults: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    private readonly gateway: GatewayProcess,
  ) {}

  /** Needs the built console. */
  static async open(scene: GatewayScene, gateway: GatewayProcess): Promise<ConsoleBrowser> {
    if (!existsSync(path.join(builtConsole, 'index.html'))) throw new Error('no console: run npm run build');
    const browser = await scene.start(launchChromium(), (started) => started.close());
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
    context.setDefaultTimeout(patience.timeout);
    return new ConsoleBrowser(context, gateway);
  }

  /** Goes to a view as somebody does who follows a link that stands once. @param token default: of level `host` */
  async signIn(view: string, token = this.gateway.token ?? ''): Promise<Page> {
    const page = await this.page();
    await page.goto(`${this.gateway.url}/console${view}#code=${await this.code(token)}`);
    return page;
  }

  async page(): Promise<Page> {
    const page = await this.context.newPage();
    page.on('pageerror', (error) => this.faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && !isAnswer(message.text())) this.faults.push(message.text());
    });
    return page;
  }

  /** A one-time code of whoever has a token. */
  async code(token = this.gateway.token ?? ''): Promise<string> {
    const headers = { Authorization: `Bearer ${token}` };
    const answer = await this.gateway.fetch('/v1/session/codes', { method: 'POST', headers });
    expect(answer.status).toBe(201);
    return ((await answer.json()) as { code: string }).code;
  }
}

/** Chromium writes down every answer that is a problem; the console shows those itself. */
function isAnswer(text: string): boolean {
  return /^Failed to load resource|WebSocket connection to|net::ERR_/.test(text);
}

/** Keeps pictures of a view, light and dark, and expects that axe finds nothing in either. */
export async function lookAt(page: Page, name: string): Promise<void> {
  mkdirSync(pictures, { recursive: true });
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(settled);
    await page.screenshot({ path: path.join(pictures, `${name}-${colorScheme}.png`) });
    expect([name, colorScheme, await violations(page)]).toEqual([name, colorScheme, []]);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

/** A frame shows the other colours, then what moves or fades has come to its end. */
const settled = `new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))).then(() =>
  Promise.race([
    Promise.allSettled(document.getAnimations().map(({ finished }) => finished)),
    new Promise((resolve) => setTimeout(resolve, 1000)),
  ]))`;

/** What axe finds: the rules of WCAG 2.2 AA and its own best practices. Menus and tooltips stand outside of all landmarks. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate<
    string[]
  >(`axe.run({ resultTypes: ['violations'], rules: { region: { enabled: false } } }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => id + ': ' + html + ' ' + failureSummary)))`);
}
