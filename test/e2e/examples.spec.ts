/** What is in `examples/`, against a real QEMU. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { launchChromium, servePage } from './chromium.js';
import { root } from './documented-commands.js';
import { GatewayScene, registerVm, run } from './gateway-scene.js';

const scene = new GatewayScene();
afterEach(() => scene.end());

const example = (file: string) => path.join(root, 'examples', file);

/** The program in a folder where the client package is installed. */
function inFolderWithClient(): string[] {
  const folder = scene.directory();
  mkdirSync(path.join(folder, 'node_modules/@qmp-gateway'), { recursive: true });
  symlinkSync(path.join(root, 'libs/client'), path.join(folder, 'node_modules/@qmp-gateway/client'));
  const file = path.join(folder, 'control-plane.mjs');
  writeFileSync(file, readFileSync(example('control-plane-node/control-plane.mjs')));
  return [file];
}

const programs: readonly (readonly [language: string, command: string, version: string, words: () => string[]])[] = [
  ['Node.js', process.execPath, '--version', inFolderWithClient],
  ['Python', 'python3', '--version', () => [example('control-plane-python/control_plane.py')]],
  ['Go', 'go', 'version', () => ['run', example('control-plane-go/control_plane.go')]],
];
const isThere = (command: string, word: string) => spawnSync(command, [word], { stdio: 'ignore' }).status === 0;

describe('a control plane', () => {
  it.each(programs)('in %s pauses a VM once and resumes it', { timeout: 180_000 }, async (...program) => {
    const [language, command, version, words] = program;
    if (!isThere(command, version)) {
      process.stdout.write(`not tried, because ${command} is not installed: the example in ${language}\n`);
      return;
    }
    const gateway = await scene.gateway();
    const vm = await registerVm(gateway, `unix:${(await scene.qemu()).socket}`);
    expect((await run(gateway, vm, 'cont')).status).toBe(200);
    const env = { ...process.env, GATEWAY_URL: gateway.url, GATEWAY_TOKEN: gateway.token };
    const child = spawn(command, [...words(), vm], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    scene.keep(child, () => child.kill());
    const [stdout, stderr, [status]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    expect([status, stderr, stdout.toLowerCase().trim().split('\n')]).toEqual([
      0,
      '',
      [`${vm} ready running`, 'paused; the repetition ran nothing: true', 'event resume'],
    ]);
  });
});

it('the dashboard shows VMs as they are, and pauses one', async () => {
  const html = readFileSync(example('dashboard/index.html'));
  const origin = await servePage(scene, html);
  const gateway = await scene.gateway({ settings: { listen: ['127.0.0.1:0'], allowedOrigins: [origin] } });
  const vm = await registerVm(gateway, `unix:${(await scene.qemu()).socket}`);
  const browser = await scene.start(launchChromium(), (one) => one.close());
  const page = await browser.newPage();
  await page.goto(origin);
  await page.locator('[name=gateway]').fill(gateway.url);
  await page.locator('[name=token]').fill(gateway.token ?? '');
  await page.locator('form button').click();
  const row = page.locator('tbody tr').filter({ hasText: vm });
  await row.getByRole('button', { name: 'Resume' }).click();
  await row.getByRole('button', { name: 'Pause' }).click();
  await row.getByRole('button', { name: 'Resume' }).waitFor();
  expect(await row.innerText()).toMatch(/ready\s+paused\s+ok/);
  expect(await page.locator('#note').innerText()).toBe('');
});
