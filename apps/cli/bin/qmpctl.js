#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (!existsSync(main)) {
  process.stderr.write('qmpctl is not built yet: run npm run build\n');
  process.exit(1);
}
const { runClient } = await import(main.href);
await runClient('qmpctl', process.argv.slice(2));
