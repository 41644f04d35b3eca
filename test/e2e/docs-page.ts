import type { Browser, BrowserContextOptions, Locator, Page, Request } from 'playwright-core';
import { onTestFinished } from 'vitest';

/** A page of `/docs` and what the browser did for it. */
export interface DocsPage {
  readonly page: Page;
  readonly requests: readonly Request[];
  /** Console lines about the content security policy, and uncaught errors. */
  readonly faults: readonly string[];
}

/** The address of the page with what stands behind `#`. */
export const docsAt = (url: string, parts: Readonly<Record<string, string>> = {}): string =>
  `${url}/docs${Object.keys(parts).length === 0 ? '' : `#${new URLSearchParams(parts).toString()}`}`;

/** Opens the page in a browser that knows nothing of it, until the test ends. */
export async function openDocs(browser: Browser, url: string, options?: BrowserContextOptions): Promise<DocsPage> {
  const context = await browser.newContext(options);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const requests: Request[] = [];
  const faults: string[] = [];
  page.on('request', (request) => requests.push(request));
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text())) faults.push(message.text());
  });
  await page.goto(url);
  return { page, requests, faults };
}

export async function enterToken(page: Page, token: string): Promise<void> {
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Use token' }).click();
}

export const titleOf = (page: Page): Locator => page.locator('.info .title');

/** The block of an operation, open or not. */
export const blockOf = (page: Page, tag: string, operation: string): Locator =>
  page.locator(`[id="operations-${tag}-${operation}"]`);

/** Opens an operation and waits until it is shown in full. */
export async function openBlock(page: Page, tag: string, operation: string): Promise<Locator> {
  const block = blockOf(page, tag, operation);
  const control = block.locator('.opblock-summary-control');
  if ((await control.getAttribute('aria-expanded')) !== 'true') await control.click();
  await block.locator('.responses-wrapper').waitFor();
  return block;
}

/** Runs a command by "Try it out" and returns what the page shows as response body. */
export async function tryOut(page: Page, tag: string, operation: string, body?: string): Promise<string> {
  const block = await openBlock(page, tag, operation);
  await block.getByRole('button', { name: 'Try it out' }).click();
  if (body !== undefined) await block.locator('textarea').first().fill(body);
  await block.getByRole('button', { name: 'Execute' }).click();
  return block.locator('.live-responses-table .response-col_description pre').first().innerText();
}
