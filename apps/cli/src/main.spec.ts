import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

/** What a module loads before it runs; types are gone by then. */
function loadedBy(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  const names = [...text.matchAll(/^(?:import|export) (?!type\b)[^;]*? from '([^']+)'|^import '([^']+)'/gm)];
  for (const [, from, bare] of names) {
    const name = from ?? bare ?? '';
    if (name.startsWith('.')) loadedBy(path.resolve(path.dirname(file), name.replace(/\.js$/, '.ts')), seen);
    else seen.add(name);
  }
  return seen;
}

it('a start loads the words of the command line, and nothing that a command needs', () => {
  const loaded = [...loadedBy(main)];
  const others = loaded.filter((name) => !name.startsWith('/'));
  expect(others.sort()).toEqual(['commander', 'node:fs']);
  expect(loaded.filter((name) => name.includes('/commands/') || name.includes('/shell/'))).toEqual([]);
});
