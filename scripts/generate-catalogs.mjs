#!/usr/bin/env node
// Compiles QEMU source trees into the bundled catalogs, and lists all bundled catalogs in their index.
//
//   node scripts/generate-catalogs.mjs [TREES]      (or QAPI_TREES_DIR=TREES)
//
// TREES holds one directory per release, qemu-MAJOR.MINOR.MICRO, each with QEMU's qapi/, storage-daemon/qapi/ and qga/.
// Without it the compiled catalogs stay as they are and only the hand-written ones are put into canonical form.
// Needs `npm run build` first. A file is written only when its content changes.

import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { catalogFormat, decodeCatalog, encodeCatalog } from '@qmp-gateway/catalog';
import { compileSchema } from '@qmp-gateway/qapi';

const data = join(dirname(fileURLToPath(import.meta.url)), '../libs/catalog/data');

const servers = [
  { name: 'qemu', kind: 'qemu', schema: 'qapi/qapi-schema.json' },
  { name: 'qemu-storage-daemon', kind: 'storage-daemon', schema: 'storage-daemon/qapi/qapi-schema.json' },
  { name: 'qemu-ga', kind: 'guest-agent', schema: 'qga/qapi-schema.json' },
];

function writeIfChanged(file, text) {
  const path = join(data, file);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  writeFileSync(path, text);
  console.log(`wrote libs/catalog/data/${file}`);
}

function compileTree(trees, directory) {
  const version = directory.slice('qemu-'.length);
  for (const { name, kind, schema } of servers) {
    const files = { read: (path) => readFileSync(path, 'utf8') };
    const { model } = compileSchema(join(trees, directory, schema), files);
    const meta = {
      format: catalogFormat,
      name,
      version,
      kind,
      greeting: { version },
      source: `QEMU ${version}, ${schema}`,
    };
    writeIfChanged(`${name}-${version.replace(/\.\d+$/, '')}.json`, encodeCatalog(model, meta));
  }
}

const trees = process.argv[2] ?? process.env.QAPI_TREES_DIR;
if (trees === undefined) {
  console.log('no tree of QAPI schemas given (argument or QAPI_TREES_DIR): the compiled catalogs stay as they are');
} else {
  const directories = readdirSync(trees).filter((entry) => /^qemu-\d+\.\d+\.\d+$/.test(entry));
  if (directories.length === 0) {
    console.error(`${trees}: no directory qemu-MAJOR.MINOR.MICRO`);
    process.exit(1);
  }
  for (const directory of directories.sort()) compileTree(trees, directory);
}

const notCatalogs = new Set(['catalogs.json', 'examples.json']);
const index = readdirSync(data)
  .filter((file) => file.endsWith('.json') && !notCatalogs.has(file))
  .sort()
  .map((file) => {
    const { model, meta } = decodeCatalog(readFileSync(join(data, file), 'utf8'), file);
    writeIfChanged(file, encodeCatalog(model, meta));
    const { name, version, kind, greeting } = meta;
    return JSON.stringify({ file, name, version, kind, greeting });
  });
writeIfChanged('catalogs.json', `[\n${index.join(',\n')}\n]\n`);
