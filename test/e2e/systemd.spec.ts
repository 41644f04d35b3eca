import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { qmpGateway } from './command-line.js';
import { root } from './documented-commands.js';
import { GatewayScene } from './gateway-scene.js';

const scene = new GatewayScene();
afterEach(() => scene.end());

const packaged = (name: string) => readFileSync(path.join(root, 'packaging/systemd', `qmp-gateway.${name}`), 'utf8');
const service = packaged('service');

async function analyze(...args: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)('systemd-analyze', args);
  return stdout + stderr;
}

/** What systemd says against a unit, which must stand beside no other. */
function faults(name: string, text: string): Promise<string> {
  const file = path.join(scene.directory(), name);
  // It looks whether the programs are there; ours may be elsewhere.
  writeFileSync(file, text.replace('/usr/bin/node', process.execPath));
  return analyze('verify', '--man=no', file);
}

/** The values of a key of a unit. */
const valuesOf = (key: string) => [...service.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value]) => value);

describe('the unit of the gateway', () => {
  it('is understood to the last line by systemd, which would have told', async () => {
    expect(await faults('qmp-gateway.service', service)).toBe('');
    const misspelt = service.replace('ProtectHome=yes', 'ProtectHomes=yes').replace('RemoveIPC=yes', 'RemoveIPC=maybe');
    expect((await faults('qmp-gateway.service', misspelt)).match(/ProtectHomes|maybe/g)).toEqual([
      'ProtectHomes',
      'maybe',
    ]);
  });

  it('leaves it little: an exposure under 2 of 10', async () => {
    const file = path.join(scene.directory(), 'qmp-gateway.service');
    writeFileSync(file, service);
    const told = await analyze('security', '--offline=yes', '--threshold=20', '--no-pager', file);
    process.stdout.write(`${/Overall exposure.*/.exec(told)?.[0] ?? ''}\n`);
  });

  it('starts what the tarball installs, and does not start again what settings forbid', async () => {
    const [start = ''] = valuesOf('ExecStart');
    const { name, bin } = JSON.parse(readFileSync(path.join(root, 'apps/gateway/package.json'), 'utf8')) as {
      name: string;
      bin: Record<string, string>;
    };
    const [, program = '', subcommand = '', ...args] = start.split(' ');
    expect(program.split('/node_modules/')[1]).toBe(path.join(name, bin['qmp-gateway'] ?? ''));
    const config = path.join(scene.directory(), 'wrong.yaml');
    writeFileSync(config, 'lisen: []');
    const { status } = await qmpGateway(scene, [subcommand, ...args.with(args.indexOf('--config') + 1, config)]);
    expect(valuesOf('RestartPreventExitStatus')).toEqual([String(status)]);
  });

  it('is installed into directories that need not exist yet', () => {
    const lines = readFileSync(path.join(root, 'docs/systemd.md'), 'utf8').match(/^install .*$/gm) ?? [];
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(line).toMatch(/^install -D -m 0644 \S+ \/etc\/\S+\.(?:service|conf)$/);
  });

  it('has its user, and the directory of the sockets is of its group', () => {
    const [user] = valuesOf('User');
    expect(valuesOf('Group')).toEqual([user]);
    expect(packaged('sysusers.conf')).toMatch(new RegExp(`^u ${user ?? ''} - `, 'm'));
    expect(packaged('tmpfiles.conf')).toMatch(new RegExp(`^d /run/qemu 2771 root ${user ?? ''} -$`, 'm'));
  });
});
