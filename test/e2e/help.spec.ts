import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { settingFlags } from '../../apps/gateway/src/settings/flags.js';
import { qmpGateway } from './command-line.js';
import { GatewayScene } from './gateway-scene.js';

const scene = new GatewayScene();
afterEach(() => scene.end());

const manifest = readFileSync(new URL('../../apps/gateway/package.json', import.meta.url), 'utf8');
const { version } = JSON.parse(manifest) as { version: string };

it.each(['--version', '-V', 'version'])('%s prints the version, and nothing else', async (argument) => {
  expect(await qmpGateway(scene, [argument])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
});

describe('help', () => {
  it.each([['--help'], ['-h'], ['help']])('%s lists the commands, with examples', async (argument) => {
    const { status, stdout, stderr } = await qmpGateway(scene, [argument]);
    expect([status, stderr]).toEqual([0, '']);
    for (const command of ['serve', 'check-config', 'token', 'version']) expect(stdout).toMatch(`\n  ${command} `);
    expect(stdout).toContain('qmp-gateway serve --vm web-1=unix:/run/qemu/web-1.qmp');
  });

  it.each(['serve', 'check-config'])('of %s lists each flag with its variable', async (command) => {
    const { status, stdout } = await qmpGateway(scene, [command, '--help']);
    expect(status).toBe(0);
    for (const { spelling, variable } of settingFlags) {
      expect(stdout).toContain(`  ${spelling} `);
      expect(stdout).toMatch(new RegExp(`env:\\s+${variable}\\)`));
    }
    expect(stdout).toContain('QMPGW_CONFIG');
  });

  it('is what a command line without a command gets, as a fault', async () => {
    const { status, stdout, stderr } = await qmpGateway(scene, []);
    expect([status, stdout, stderr.split(' ', 1)]).toEqual([2, '', ['Usage:']]);
  });
});

describe('a command line that is wrong: what is, the nearest name, where the help is, and exit 2', () => {
  it.each([
    [['srve'], "unknown command 'srve'", 'Did you mean serve?', 'Run qmp-gateway --help'],
    [['serve', '--lisen', 'a'], "unknown option '--lisen'", 'Did you mean --listen?', 'Run qmp-gateway serve --help'],
    [['token', 'creat'], "unknown command 'creat'", 'Did you mean create?', 'Run qmp-gateway token --help'],
    [['serve', '--listen'], "option '--listen <addr>' argument missing", 'Run qmp-gateway serve --help'],
    [['serve', 'now'], "too many arguments for 'serve'", 'Run qmp-gateway serve --help'],
    [['--listen', 'a'], "unknown option '--listen'", '--listen is a flag of serve: qmp-gateway serve --listen'],
    [['token', 'create'], "required option '--level <level>' not specified", 'Run qmp-gateway token create --help'],
  ])('%j', async (args, ...lines) => {
    const { status, stdout, stderr } = await qmpGateway(scene, args);
    expect([status, stdout]).toEqual([2, '']);
    for (const line of lines) expect(stderr).toContain(line);
    expect(stderr.split('\n').length).toBeLessThan(6);
  });
});
