import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = readFileSync(path.join(root, 'docs/faults.md'), 'utf8');
const rows = [...text.matchAll(/^\| ([A-F][0-9]{1,2}) \| (.+) \| (.+) \| (.+) \|$/gm)].map(
  ([, fault = '', , , proof = '']) => ({
    fault,
    tests: proof.split('<br>').map((cell) => /^`([^`]+)` › (.+)$/.exec(cell.trim())?.slice(1) ?? [cell, '']),
  }),
);

/** The titles of the tests in a file: of `it('…')` and of `it.each(…)('…')`. */
function titlesIn(file: string): Set<string> {
  const source = ts.createSourceFile(file, readFileSync(path.join(root, file), 'utf8'), ts.ScriptTarget.Latest);
  const titles = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const [title] = node.arguments;
      if (title !== undefined && ts.isStringLiteralLike(title) && /^it\b/.test(node.expression.getText(source)))
        titles.add(title.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return titles;
}

const number = (fault: string): number => Number(fault.slice(1));

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => `F${String(from + at).padStart(2, '0')}`);

describe('docs/faults.md', () => {
  it('has a row for each failure mode, in order', () => {
    const known = rows.map(({ fault }) => fault).filter((fault) => /^F[0-9]/.test(fault));
    expect(known).toEqual([...range(1, 43), ...range(57, 67)]);
  });

  it('has each fault that was seen in use once, in order', () => {
    const seen = rows.map(({ fault }) => fault).filter((fault) => !fault.startsWith('F'));
    const inOrder = [...new Set(seen)].sort((a, b) => a[0]!.localeCompare(b[0]!) || number(a) - number(b));
    expect(seen).toEqual(inOrder);
  });

  it.each(rows)('names tests of $fault that exist', ({ tests }) => {
    for (const [file = '', title = ''] of tests) expect([...titlesIn(file)]).toContain(title);
  });
});
