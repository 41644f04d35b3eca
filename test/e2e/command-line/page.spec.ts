import { spawn } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentBecomes, startGuestAgent } from '../agent-scene.js';
import { blocksOf } from '../documented-commands.js';
import { GatewayScene, run } from '../gateway-scene.js';
import { clientHome, clientLauncher, ended, inHome, type ClientHome } from './client-process.js';

const page = 'docs/command-line.md';
const scene = new GatewayScene();
let home: ClientHome;

/** A line of the page, and what the page says that it prints. */
interface PageLine {
  readonly line: string;
  readonly status: number;
  readonly shown: string;
}

const blocks = blocksOf(page).filter(({ language }) => language === 'console');
const lines: readonly PageLine[] = blocks.flatMap(({ text }) =>
  text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [first = '', ...output] = part.trimEnd().split('\n');
      const [line = '', status = '0'] = first.split(' # status ');
      return { line, status: Number(status), shown: output.join('\n') };
    }),
);
const words = blocksOf(page)
  .filter(({ language }) => language === 'sh')
  .flatMap(({ text }) => [...text.matchAll(/^qmpctl (\S+)/gm)].map(([, word]) => word));

/** As `npm run demo`, with a guest agent behind the first VM. */
beforeAll(async () => {
  const args = ['-device', 'VGA', '-device', 'pcie-root-port,id=rp0', '-object', 'rng-builtin,id=rng', '-vnc', 'none'];
  const [one, two] = await Promise.all(
    ['demo-1', 'demo-2'].map((name) => scene.qemu({ machine: 'q35', args: ['-name', name, ...args] })),
  );
  const directory = scene.directory();
  await startGuestAgent(scene, directory);
  const vms = {
    'demo-1': { endpoint: `unix:${one!.socket}`, agent: `unix:${directory}/qga` },
    'demo-2': { endpoint: `unix:${two!.socket}` },
  };
  const gateway = await scene.gateway({ settings: { vms } });
  for (const id of Object.keys(vms)) {
    await gateway.vmBecomes(id, 'ready');
    await run(gateway, id, 'cont');
  }
  await agentBecomes(gateway, 'demo-1', 'ready');
  const own = clientHome(scene, gateway);
  mkdirSync(inHome(own, 'bin'));
  symlinkSync(clientLauncher, inHome(own, 'bin/qmpctl'));
  mkdirSync(inHome(own, 'state'));
  writeFileSync(inHome(own, 'state/root.token'), `${gateway.token ?? ''}\n`);
  home = { ...own, env: { ...own.env, PATH: `${inHome(own, 'bin')}${path.delimiter}${own.env['PATH'] ?? ''}` } };
});
afterAll(() => scene.end());

/** What the page shows, as a pattern: `…` is anything, several lines included where it stands alone. */
function patternOf(shown: string): RegExp {
  const parts = shown.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('[^]*?')}$`);
}

describe(page, () => {
  it('has twenty lines of every day', () => expect(lines.length).toBeGreaterThanOrEqual(20));

  // In their order: some need what those before them made.
  it.each(lines)('$line', async ({ line, status, shown }) => {
    const address = home.env['QMPGW_URL'] ?? '';
    const child = spawn('bash', ['-c', `exec 2>&1; ${line.replace('http://127.0.0.1:8080', address)}`], {
      cwd: home.directory,
      env: home.env,
    });
    scene.keep(child, () => child.kill('SIGKILL'));
    child.stdin.end();
    const result = await ended(child);
    expect([line, result.status]).toEqual([line, status]);
    expect(result.stdout.trimEnd().replaceAll(address, 'http://127.0.0.1:8080')).toMatch(patternOf(shown));
  });

  it.each([...new Set(words)])('names the command %s, whose help fits a screen and has an example', async (word) => {
    const child = spawn('bash', ['-c', `qmpctl ${word ?? ''} --help`], { cwd: home.directory, env: home.env });
    const { status, stdout } = await ended(scene.keep(child, () => child.kill('SIGKILL')));
    expect([status, stdout.split('\n').length <= 40]).toEqual([0, true]);
    expect(stdout).toMatch(/\nExamples?:\n {2}qmpctl /);
    expect(Math.max(...stdout.split('\n').map((text) => text.length))).toBeLessThanOrEqual(90);
  });
});
