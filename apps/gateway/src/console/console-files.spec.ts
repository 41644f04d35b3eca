import { Scene } from '@qmp-gateway/test-kit';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, expect, it } from 'vitest';
import { beginLinksWith } from '../settings/links.js';
import { ConsoleFiles } from './console-files.js';

const scene = new Scene();
afterAll(() => scene.end());
afterEach(() => beginLinksWith(''));

function built(): string {
  const folder = scene.directory();
  mkdirSync(path.join(folder, 'files'));
  const page = '<meta name="qmp-gateway-base" content="" /><script src="./files/index-1.js"></script>';
  writeFileSync(path.join(folder, 'index.html'), page);
  const script = 'console.log(1);'.repeat(200);
  writeFileSync(path.join(folder, 'files/index-1.js'), script);
  writeFileSync(path.join(folder, 'files/index-1.js.gz'), gzipSync(script));
  return folder;
}

it('has a page whose links begin with what stands before the gateway', () => {
  const folder = built();
  const textOf = () => String(new ConsoleFiles(folder).page?.plain());
  expect(textOf()).toContain('src="/console/files/index-1.js"');
  beginLinksWith('/gw');
  expect(textOf()).toContain('src="/gw/console/files/index-1.js"');
  expect(textOf()).toContain('name="qmp-gateway-base" content="/gw"');
});

it('has the built files alone, compressed as they were built', async () => {
  const folder = built();
  writeFileSync(path.join(folder, 'secret.js'), '');
  const files = new ConsoleFiles(folder);
  const script = files.file('index-1.js');
  expect(script?.contentType).toBe('text/javascript; charset=utf-8');
  expect((await script?.gzip?.())?.length).toBeLessThan(200);
  expect(files.file('index-1.js')).toBe(script);
  for (const name of ['../secret.js', 'secret.js', '..', '', 'index-1.js.gz', 'gone-2.js'])
    expect(files.file(name)).toBeUndefined();
});

it('has nothing where nothing was built', () => {
  const files = new ConsoleFiles(path.join(scene.directory(), 'none'));
  expect(files.page).toBeUndefined();
  expect(files.file('index-1.js')).toBeUndefined();
});
