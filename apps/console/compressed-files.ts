import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

/** Below it compressing saves no packet; the gateway does not offer it then. */
const smallBytes = 1200;

/** Compresses what was built once for all: `x.js.gz` beside `x.js`, as the gateway serves it. */
export function compressedFiles(): Plugin {
  return {
    name: 'compressed-files',
    apply: 'build',
    writeBundle: ({ dir = '' }, bundle) => {
      for (const name of Object.keys(bundle)) {
        if (!/\.(?:js|css|svg)$/.test(name)) continue;
        const file = readFileSync(join(dir, name));
        if (file.length < smallBytes) continue;
        writeFileSync(join(dir, `${name}.gz`), gzipSync(file, { level: constants.Z_BEST_COMPRESSION }));
      }
    },
  };
}
