import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { pages, root } from '../e2e/documented-commands.js';

const textOf = (page: string) => readFileSync(path.join(root, page), 'utf8');

describe.each([...pages(), 'scripts/demo.js', 'scripts/demo-fleet.js'])('%s', (page) => {
  it('has curl say what went wrong where it is told to be silent', () => {
    const options = [...textOf(page).matchAll(/\bcurl (-[A-Za-z]+)/g)].map(([, given = '']) => given);
    expect(options.filter((given) => given.includes('s') && !given.includes('S'))).toEqual([]);
  });

  it('says of int64=string which integers become strings', () => {
    const paragraphs = textOf(page).split(/\n\s*\n/);
    const told = paragraphs.filter((paragraph) => paragraph.includes('int64=string'));
    expect(told.filter((paragraph) => !paragraph.includes('2^53-1'))).toEqual([]);
  });
});
