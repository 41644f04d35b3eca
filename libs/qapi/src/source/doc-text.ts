import type { DocComment, DocText } from './doc-comment.js';

/** A documentation comment as plain text in the markup it was written in: body, members, features, sections. */
export function docText(doc: DocComment): string {
  const parts = [
    doc.body,
    ...described(doc.members),
    ...(doc.features.size === 0 ? [] : ['Features:', ...described(doc.features)]),
    ...doc.sections.map(({ tag, text }) => `${tag}: ${text}`),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** The first paragraph on one line, for use as a summary; undefined if the comment has none. */
export function docSummary(doc: DocComment): string | undefined {
  const [paragraph = ''] = doc.body.split('\n\n', 1);
  return paragraph === '' ? undefined : paragraph.replaceAll('\n', ' ');
}

function described(texts: ReadonlyMap<string, DocText>): string[] {
  return [...texts].map(([name, { text }]) => (text === '' ? `@${name}` : `@${name}: ${text}`));
}
