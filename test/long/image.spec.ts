/** The steps of the Dockerfile, taken without a container engine: what its last stage holds must be enough to serve. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import { copiesOf, execForm, isIgnored, readDockerfile } from '../e2e/dockerfile.js';
import { GatewayScene } from '../e2e/gateway-scene.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const scene = new GatewayScene();
afterEach(() => scene.end());

it('what the image is made of serves a VM', { timeout: 600_000 }, async () => {
  const [build, image] = readDockerfile('Dockerfile');
  if (build === undefined || image === undefined) throw new Error('two stages');
  const [built, made] = [scene.directory(), scene.directory()];

  for (const { sources, target } of copiesOf(build))
    for (const source of sources) {
      const to = path.resolve(built, target, target.endsWith('/') ? source : '');
      mkdirSync(path.dirname(to), { recursive: true });
      const filter = (file: string) => !isIgnored(path.relative(root, file));
      cpSync(path.join(root, source), to, { recursive: true, filter });
    }
  const environment = Object.entries(process.env).filter(([name]) => !name.startsWith('npm_'));
  for (const { text } of build.instructions.filter(({ name }) => name === 'RUN'))
    await promisify(execFile)('sh', ['-c', text], { cwd: built, env: Object.fromEntries(environment) });

  const workdir = build.instructions.find(({ name }) => name === 'WORKDIR')?.text ?? '';
  for (const { sources, target } of copiesOf(image))
    for (const source of sources) {
      const from = path.join(built, path.relative(workdir, source));
      cpSync(from, path.resolve(made, target, target.endsWith('/') ? path.basename(source) : ''), {
        ...{ recursive: true, verbatimSymlinks: true },
      });
    }
  const [program, launcher = ''] = execForm(image, 'ENTRYPOINT');
  expect([program, execForm(image, 'CMD')]).toEqual(['node', ['serve']]);
  const qemu = await scene.qemu();
  const gateway = await scene.gateway({
    launcher: path.join(made, launcher),
    args: ['--vm', `demo-1=unix:${qemu.socket}`],
  });
  expect(await gateway.vmBecomes('demo-1', 'ready')).toMatchObject({ kind: 'qemu' });
  expect((await gateway.fetch('/livez')).status).toBe(200);
  await expect(promisify(execFile)('ls', [path.join(made, 'node_modules/typescript')])).rejects.toThrow();
});
