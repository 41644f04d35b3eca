import { readFileSync, readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { clientWords } from './client-words.js';

const definitions = new URL('../../cli/src/definitions/', import.meta.url);

it('the words of the client are those that its program has, and none of the gateway', () => {
  const text = readdirSync(definitions)
    .map((file) => readFileSync(new URL(file, definitions), 'utf8'))
    .join('');
  const roots = [...text.matchAll(/\broot\s*\.command\('([\w-]+)/g)].map(([, word]) => word);
  expect(roots.length).toBeGreaterThan(15);
  expect([...clientWords].sort()).toEqual(roots.filter((word) => word !== '__manual').sort());
  for (const own of ['serve', 'check-config', 'health', 'token', 'version', 'help'])
    expect(clientWords).not.toContain(own);
});
