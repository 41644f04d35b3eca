/** Ways into the console and out of it, names that would run scripts, and how much of it is loaded first. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fakeMachine, fakeMachineSettings } from '../fake-machine.js';
import type { GatewayProcess } from '../gateway-process.js';
import { GatewayScene, makeToken, registerVm } from '../gateway-scene.js';
import { exchange } from '../http-exchange.js';
import { ConsoleBrowser, lookAt, patience } from './console-scene.js';
import { Transfers } from './transfers.js';

const launcher = fileURLToPath(new URL('../../../apps/gateway/bin/qmp-gateway.js', import.meta.url));
const scene = new GatewayScene();
let gateway: GatewayProcess;
let browser: ConsoleBrowser;

beforeAll(async () => {
  gateway = await scene.gateway({ settings: fakeMachineSettings });
  browser = await ConsoleBrowser.open(scene, gateway);
}, 120_000);
afterAll(() => scene.end());

const post = (path: string, token: string) =>
  gateway.fetch(path, { method: 'POST', headers: { Authorization: `Bearer ${token}` } });

it('is where a browser comes to, and nowhere else', async () => {
  const root = await gateway.fetch('/', { headers: { Accept: 'text/html', Authorization: '' }, redirect: 'manual' });
  expect([root.status, root.headers.get('location')]).toEqual([303, '/console']);
  const forPrograms = await gateway.fetch('/', { redirect: 'manual' });
  expect(await forPrograms.json()).toMatchObject({ code: 'route-not-found' });
  const page = await gateway.fetch('/console/vms/web-1/screen', { headers: { Authorization: '' } });
  expect(page.headers.get('content-security-policy')).toContain("script-src 'self'; style-src 'self'");
  expect(page.headers.get('content-security-policy')).not.toContain('unsafe');
  const [, script = ''] = /src="([^"]+\/first-[^"]+\.js)"/.exec(await page.text()) ?? [];
  const file = await gateway.fetch(script, { headers: { 'Accept-Encoding': 'gzip', Authorization: '' } });
  expect(file.headers.get('cache-control')).toContain('immutable');
  expect(file.headers.get('content-encoding')).toBe('gzip');
});

it('lets in by a code once, with the grant of who made it, and by nothing else', async () => {
  const token = makeToken(gateway, { level: 'operate', vms: ['web-*'] });
  const code = await browser.code(token);
  expect((await post('/v1/session/codes', code)).status).toBe(401);
  expect((await gateway.fetch('/v1/vms', { headers: { Authorization: `Bearer ${code}` } })).status).toBe(401);
  const first = await post('/v1/session/token', code);
  expect(first.status).toBe(201);
  expect(await first.json()).toMatchObject({ level: 'operate', vms: ['web-*'], name: 'console' });
  expect((await post('/v1/session/token', code)).status).toBe(401);
});

it('prints a way in on the command line', async () => {
  const { port } = new URL(gateway.url);
  const args = [launcher, 'console', '--state', gateway.state, '--listen', `127.0.0.1:${port}`];
  const link = execFileSync(process.execPath, args, { encoding: 'utf8' }).trim();
  expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/console#code=qmpgwc_[\w-]+$/);
  const page = await browser.page();
  await page.goto(link);
  await page.getByRole('heading', { name: 'Virtual machines' }).waitFor();
  expect(page.url()).not.toContain('code');
  await page.goto(link);
  await page.getByRole('heading', { name: 'Virtual machines' }).waitFor();
  await page.close();
}, 240_000);

it('asks for a token, forgets everything at the way out, and says when a token was revoked', async () => {
  const page = await browser.page();
  await page.goto(`${gateway.url}/console/gateway`);
  await page.getByRole('heading', { name: 'Sign in to the gateway' }).waitFor();
  await lookAt(page, 'sign-in');
  await page.getByLabel('Token').fill('qmpgw_wrong_aaaaaaaaaaaaaaaaaaaaaaaa');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('unknown, expired or revoked').waitFor();
  await lookAt(page, 'sign-in-refused');
  await page.getByLabel('Token').fill(gateway.token ?? '');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Gateway', level: 1 }).waitFor();
  await page.evaluate(`sessionStorage.setItem('qmpgw.of-session.history', '["device_add"]')`);
  await page.getByRole('button', { name: 'Level host' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in to the gateway' }).waitFor();
  expect(await page.evaluate('Object.keys(sessionStorage)')).toEqual([]);

  const token = makeToken(gateway, { level: 'read', vms: ['*'] });
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Level read' }).waitFor();
  const [, id = ''] = token.split('_');
  expect((await exchange(gateway, `/v1/tokens/${id}`, { method: 'DELETE' })).status).toBe(204);
  await page.getByText('You were signed out').waitFor();
  await page.close();
}, 240_000);

it('shows hostile names as the text that they are, and runs nothing of them', async () => {
  const script = '<img src=x onerror="globalThis.owned=1"><script>globalThis.owned=1</script>"\'`{{1}}';
  const machine = await fakeMachine(scene);
  machine.fake
    .on('query-name', () => ({ json: JSON.stringify({ name: script }) }))
    .on('query-status', () => ({ json: JSON.stringify({ running: true, status: script }) }))
    .on('query-vnc-servers', () => ({ error: { class: 'GenericError', desc: script } }));
  const id = await registerVm(gateway, machine.endpoint, { labels: { x: script } });
  const page = await browser.signIn('/vms');
  await page.getByRole('link', { name: id, exact: true }).click();
  await page.getByText('onerror').first().waitFor();
  await lookAt(page, 'hostile');
  await page.getByRole('tab', { name: 'Screen' }).click();
  await page
    .getByRole('application')
    .or(page.getByText('cannot be typed into'))
    .or(page.getByText('no display'))
    .first()
    .waitFor();
  expect(await page.evaluate('globalThis.owned')).toBeUndefined();
  expect(await page.locator('img[src="x"]').count()).toBe(0);
  await page.close();
}, 240_000);

it('transfers less than 600 KB from the first visit to the list, with style sheets and fonts', async () => {
  const id = await registerVm(gateway, (await fakeMachine(scene)).endpoint);
  const page = await browser.page();
  const session = await browser.context.newCDPSession(page);
  const transfers = new Transfers(session, `${gateway.url}/console`);
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  await page.goto(`${gateway.url}/console`);
  await page.getByLabel('Token').fill(gateway.token ?? '');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('link', { name: id, exact: true }).waitFor();
  await page.evaluate('document.fonts.ready.then(() => undefined)');
  const { files, bytes } = await transfers.settled();
  for (const kind of ['.js', '.css', '.woff2', '.svg'])
    expect(files.filter((file) => file.endsWith(kind))).not.toEqual([]);
  expect(files).toContain('/console');
  expect(bytes).toBeGreaterThan(100_000);
  expect(bytes).toBeLessThan(600_000);
  await page.close();
}, 240_000);

it('ran without an error and without anything that its policy refused', async () => {
  await expect.poll(() => browser.faults, patience).toEqual([]);
});
