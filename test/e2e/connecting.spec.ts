import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { blocksOf } from './documented-commands.js';
import { GatewayScene } from './gateway-scene.js';

const scene = new GatewayScene();
afterEach(() => scene.end());

const page = 'docs/connecting.md';

/** The only block of a page that is in this language. */
function blockOf(of: string, language: string): string {
  const blocks = blocksOf(of).filter((block) => block.language === language);
  expect(blocks).toHaveLength(1);
  return blocks[0]?.text ?? '';
}

/** What managers of VMs would append to QEMU's command line, by the name of the VM. */
function recipes(): Record<string, string[]> {
  const started = /^ExecStart=\S+ (.*)$/m.exec(blockOf(page, 'ini'))?.[1] ?? '';
  return {
    'web-5': [...blockOf(page, 'xml').matchAll(/<qemu:arg value='([^']*)'\/>/g)].map(([, value = '']) => value),
    101: (/^args: (.*)$/m.exec(blockOf(page, 'conf'))?.[1] ?? '').split(' '),
    unit: started.replaceAll('%i', 'unit').split(' '),
  };
}

describe('the recipes of docs/connecting.md for what does not run here', () => {
  it('make a monitor beside the one of the manager, which the gateway of docs/systemd.md finds', async () => {
    const directory = scene.directory();
    const here = (text: string) => text.replace('/run/qemu/', `${directory}/`);
    const names = Object.keys(recipes());
    for (const args of Object.values(recipes())) await scene.qemu({ args: args.map(here) });
    const [, pattern = ''] = /qmp: '([^']*)'/.exec(blockOf('docs/systemd.md', 'yaml')) ?? [];
    const gateway = await scene.gateway({ args: ['--discover', here(pattern)] });
    for (const name of names)
      expect(await gateway.vmBecomes(name, 'ready')).toMatchObject({ source: 'discovery', kind: 'qemu' });
  });

  it('have a unit for VMs that systemd understands', async () => {
    const unit = path.join(scene.directory(), 'vm@.service');
    writeFileSync(unit, blockOf(page, 'ini'));
    const { stdout, stderr } = await promisify(execFile)('systemd-analyze', ['verify', '--man=no', unit]);
    expect(stdout + stderr).toBe('');
  });
});
