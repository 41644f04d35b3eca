import { expect } from 'vitest';
import { launchChromium } from './chromium.js';

/** What a page sees in an `<img>` of a VM's screen. */
interface Seen {
  readonly width: number;
  readonly height: number;
  /** Pixels that are not black. */
  readonly lit: number;
}

/**
 * Shows the screen of a VM on a page of the gateway's own origin, which has the session cookie and no other credentials,
 * until its firmware has drawn something.
 */
export async function expectScreenInBrowser(url: string, token: string, vm: string): Promise<void> {
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.goto(`${url}/livez`);
    const image = `${url}/v1/vms/${vm}/screen.png`;
    const look = (): Promise<Seen | null> =>
      page.evaluate(
        `new Promise((resolve) => {
          const image = new Image();
          image.onerror = () => resolve(null);
          image.onload = () => {
            const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
            const context = canvas.getContext('2d');
            context.drawImage(image, 0, 0);
            const { data } = context.getImageData(0, 0, image.width, image.height);
            let lit = 0;
            for (let at = 0; at < data.length; at += 4) if (data[at] + data[at + 1] + data[at + 2] > 0) lit++;
            document.body.replaceChildren(image);
            resolve({ width: image.width, height: image.height, lit });
          };
          image.src = '${image}';
        })`,
      );
    expect(await look()).toBeNull();
    const status = await page.evaluate(
      `fetch('/v1/session', { method: 'POST', headers: { Authorization: 'Bearer ${token}' } }).then(({ status }) => status)`,
    );
    expect(status).toBe(204);
    const first = await look();
    expect(first?.width).toBeGreaterThanOrEqual(640);
    expect(first?.height).toBeGreaterThanOrEqual(400);
    await expect.poll(async () => (await look())?.lit ?? 0, { timeout: 30_000 }).toBeGreaterThan(100);
  } finally {
    await browser.close();
  }
}
