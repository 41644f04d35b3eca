import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const skipped = /(?:^|\/)(?:node_modules|dist|generated)(?:\/|$)/;

function filesIn(folder: string, names: RegExp): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((name) => names.test(name) && !skipped.test(name));
}

/** The comments of a source, each once. */
function commentsIn(file: string): string[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  // Parsing all sources takes seconds, and few of them name a document at all.
  if (documentsIn(text).length === 0) return [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  const found = new Map<number, string>();
  const visit = (node: ts.Node): void => {
    for (const { pos, end } of ts.getLeadingCommentRanges(text, node.pos) ?? []) found.set(pos, text.slice(pos, end));
    for (const { pos, end } of ts.getTrailingCommentRanges(text, node.end) ?? []) found.set(pos, text.slice(pos, end));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return [...found.values()];
}

/** Documents of ours that a comment refers to: by file name, or by a name in capitals and a section of it. */
function documentsIn(comment: string): string[] {
  const files = comment.matchAll(/[\w./-]+\.md\b/g);
  const sections = comment.matchAll(/\b([A-Z]{4,})(?:\.md)?,? (?:section|chapter) [\d.]+/g);
  return [...[...files].map(([name]) => name), ...[...sections].map(([, name = '']) => `${name}.md`)];
}

const isThere = (document: string, file: string) =>
  ['', 'docs', path.dirname(file)].some((folder) => existsSync(path.join(root, folder, document)));

describe('comments', () => {
  const sources = ['apps', 'libs', 'test'].flatMap((folder) => filesIn(folder, /\.ts$/));

  it('cite no document that is not in the repository', () => {
    expect(sources.length).toBeGreaterThan(400);
    const missing = sources.flatMap((file) =>
      commentsIn(file)
        .flatMap(documentsIn)
        .filter((document) => !isThere(document, file))
        .map((document) => `${file}: ${document}`),
    );
    expect(missing).toEqual([]);
  });

  it.each([
    ['/** See docs/metrics.md and lifecycle.md. */', ['docs/metrics.md', 'lifecycle.md']],
    ['// As PLAN section 4.2 has it.', ['PLAN.md']],
    ['// RFC 9110, section 7.8; QMP 2.3', []],
  ])('are read for such documents: %s', (comment, documents) => {
    expect(documentsIn(comment)).toEqual(documents);
  });
});

it('every decision is listed in their table of contents', () => {
  const contents = readFileSync(path.join(root, 'docs/decisions/README.md'), 'utf8');
  const listed = [...contents.matchAll(/\]\(([\w-]+\.md)\)/g)].map(([, name]) => name);
  const pages = readdirSync(path.join(root, 'docs/decisions')).filter((name) => name !== 'README.md');
  expect(listed.sort()).toEqual(pages.sort());
});
