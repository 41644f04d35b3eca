import { execFile, spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { buildAddon, DescriptorScene, passed } from '../e2e/file-descriptors/descriptor-scene.js';
import { registerVm } from '../e2e/gateway-scene.js';

const scene = new DescriptorScene();
const client = fileURLToPath(new URL('qemu_qmp_fds.py', import.meta.url));
beforeAll(buildAddon);
afterEach(() => scene.end());

/** QEMU's own client, from the index of Python packages; undefined where that cannot be had. */
function qemuQmp(): string | undefined {
  const directory = scene.directory();
  const words = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', directory, 'qemu.qmp==0.0.3'];
  const { status, stderr } = spawnSync('python3', words, { encoding: 'utf8', timeout: 120_000 });
  if (status === 0) return directory;
  process.stdout.write(`qemu.qmp cannot be had here: ${stderr.trim().split('\n').at(-1) ?? ''}\n`);
  return undefined;
}

it("QEMU's own client passes descriptors through a monitor socket (send_fd_scm)", async () => {
  const library = qemuQmp();
  const { gateway, socketOf } = await scene.sharing();
  const qemu = await scene.qemuOfNobody();
  const vm = await registerVm(gateway, `unix:${qemu.socket}`);
  expect(await passed(gateway)).toBe(0);
  if (library === undefined) return;
  const image = path.join(scene.image());
  const { stdout } = await promisify(execFile)('python3', [client, socketOf(vm), image], {
    env: { ...process.env, PYTHONPATH: library },
    timeout: 60_000,
  });
  expect(JSON.parse(stdout)).toMatchObject([{ 'fdset-id': expect.any(Number) }, {}, {}]);
  expect(await passed(gateway)).toBe(2);
});
