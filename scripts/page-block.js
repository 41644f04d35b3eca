#!/usr/bin/env node
// Prints the first fenced block of a page that contains a text, so that what a test runs is what the page says.
//
//   node page-block.js PAGE TEXT

import { readFileSync } from 'node:fs';

const [page, text] = process.argv.slice(2);
const blocks = [...readFileSync(page, 'utf8').matchAll(/^```\w*.*\n([^]*?)^```$/gm)].map(([, block]) => block);
const found = blocks.find((block) => block.includes(text));
if (found === undefined) {
  process.stderr.write(`page-block: no block of ${page} contains ${text}\n`);
  process.exit(1);
}
process.stdout.write(found);
