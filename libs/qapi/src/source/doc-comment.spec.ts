import { describe, expect, it } from 'vitest';
import { compileSchema } from './compile-schema.js';
import { type DocComment, sinceOf } from './doc-comment.js';
import { docSummary, docText } from './doc-text.js';
import { QapiSchemaError } from './position.js';

const EXCEPTIONS = "{ 'pragma': { 'doc-required': true, 'documentation-exceptions': [ 'lax' ] } }";

function docOf(lines: string[], definition: string): DocComment {
  const text = ['##', ...lines, '##', definition].join('\n');
  const [doc] = compileSchema('test.json', { read: () => text }).docs.values();
  return doc!;
}

function errorOf(text: string): QapiSchemaError {
  try {
    compileSchema('test.json', { read: () => text });
  } catch (error) {
    if (error instanceof QapiSchemaError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

function texts(described: DocComment['members']): Record<string, string> {
  return Object.fromEntries([...described].map(([name, { text }]) => [name, text]));
}

describe('a documentation comment', () => {
  it('has body, members, features and sections', () => {
    const doc = docOf(
      [
        '# @go:',
        '#',
        '# Goes somewhere,',
        '# quickly.',
        '#',
        '# @to: where to,',
        '#     by name',
        '#',
        '#     or number',
        '#',
        '# @at: when',
        '#',
        '# Features:',
        '#',
        '# @unstable: may change',
        '#',
        '# Returns: nothing much',
        '#',
        '# Errors:',
        '#     - if lost',
        '#',
        '# .. note:: Look out.',
        '#',
        '# Since: 9.2',
      ],
      `{ 'command': 'go', 'data': { 'to': 'str', '*at': 'int' }, 'features': [ 'unstable' ] }`,
    );
    expect(doc.symbol).toBe('go');
    expect(doc.body).toBe('Goes somewhere,\nquickly.\n\n.. note:: Look out.');
    expect(texts(doc.members)).toEqual({ to: 'where to,\nby name\n\nor number', at: 'when' });
    expect(texts(doc.features)).toEqual({ unstable: 'may change' });
    expect(doc.sections.map(({ tag, text }) => [tag, text])).toEqual([
      ['Returns', 'nothing much'],
      ['Errors', '- if lost'],
      ['Since', '9.2'],
    ]);
    expect(docSummary(doc)).toBe('Goes somewhere, quickly.');
    expect(docText(doc).split('\n\n')).toEqual(
      // prettier-ignore
      ['Goes somewhere,\nquickly.', '.. note:: Look out.', '@to: where to,\nby name', 'or number', '@at: when',
       'Features:', '@unstable: may change', 'Returns: nothing much', 'Errors: - if lost', 'Since: 9.2'],
    );
  });

  it('may be written as before QEMU 8', () => {
    const doc = docOf(
      [
        '# @Ss:',
        '# @a:',
        '# * not indented',
        '# @b :  aligned',
        '#       so',
        '# Since: 1.2',
        '#',
        '# Example:',
        '#',
        '# -> one',
        '#',
        '# <- two',
      ],
      `{ 'struct': 'Ss', 'data': { 'a': 'int', 'b': 'int' } }`,
    );
    expect(texts(doc.members)).toEqual({ a: '* not indented', b: 'aligned\nso' });
    expect(doc.sections.map(({ tag, text }) => [tag, text])).toEqual([
      ['Since', '1.2'],
      ['Example', '-> one\n\n<- two'],
    ]);
  });

  it.each([
    ['a release', ['# Since: 2.12'], '2.12'],
    ['a release and more', ['# Since: 2.5, but better since 3.0'], '2.5'],
    ['something else', ['# Since: forever'], 'forever'],
    ['a line without colon', ['# Since 10.1'], '10.1'],
    ['nothing', ['# Text since 10.1'], undefined],
  ])('dates a command: %s', (_, lines, since) => {
    const doc = docOf(['# @go:', '#', ...lines], "{ 'command': 'go' }");
    expect(sinceOf(doc)).toBe(since);
  });

  it('gives its date to the model', () => {
    const text = "##\n# @go:\n#\n# Since: 4.2\n##\n{ 'command': 'go' }";
    expect(compileSchema('t.json', { read: () => text }).model.commands.get('go')?.since).toBe('4.2');
  });

  it('is free-form when it names nothing', () => {
    const text = "##\n# = Title\n#\n# Text: more\n##\n\n##\n# @go:\n##\n{ 'command': 'go' }";
    expect(compileSchema('t.json', { read: () => text }).docs.size).toBe(1);
  });
});

describe('a broken documentation comment', () => {
  const go = "{ 'command': 'go', 'data': { '*a': 'int' } }";

  it.each([
    ['opens with ## alone', '## @go:\n##', 1, "opens with '##' alone"],
    ['closes with ## alone', '##\n# @go:\n## x', 3, "closes with '##' alone"],
    ['is closed', `##\n# @go:\n${go}`, 3, 'not closed'],
    ['is closed before the end', '##\n# @go:', 2, 'not closed'],
    ['has a space behind #', `##\n# @go:\n#text\n##\n${go}`, 3, 'needs a space'],
    ['has a colon behind the name', `##\n# @go\n##\n${go}`, 2, "expected ':'"],
    ['has a name', `##\n# @:\n##\n${go}`, 2, 'expected a name'],
    ['is that of the definition', `##\n# @stop:\n##\n${go}`, 4, "that of 'stop'"],
    ['is followed by a definition', '\n##\n# @go:\n##', 2, "definition of 'go' does not follow"],
    ['is followed at once', "##\n# @go:\n##\n{ 'pragma': {} }", 1, 'does not follow'],
    ['is one', `##\n# @go:\n##\n##\n# @go:\n##\n${go}`, 1, 'does not follow'],
    ['is no free-form one', `##\n# Hello\n##\n${go}`, 1, "begins with its '@name:'"],
    ['has no members when free-form', '##\n# Hello\n# @a: b\n##', 3, 'of a definition'],
    ['names members', `##\n# @go:\n#\n# @: b\n##\n${go}`, 4, 'expected the name of a member'],
    ['describes members once', `##\n# @go:\n#\n# @a: b\n# @a: c\n##\n${go}`, 5, 'twice'],
    ['describes members that exist', `##\n# @go:\n#\n# @a: b\n# @c: d\n##\n${go}`, 5, "'c', which does not exist"],
    ['has members before sections', `##\n# @go:\n#\n# Since: 1\n#\n# @a: b\n##\n${go}`, 6, 'after a section'],
    ['has features behind Features', `##\n# @go:\n#\n# Features:\n# a\n##\n${go}`, 5, "has no '@name:'"],
    ['has Features once', `##\n# @go:\n#\n# Features:\n# @f: a\n#\n# Features:\n# @g: a\n##\n${go}`, 7, 'a second'],
    ['describes features that exist', `##\n# @go:\n#\n# Features:\n# @f: a\n##\n${go}`, 5, "feature 'f', which"],
    ['describes features', "##\n# @go:\n##\n{ 'command': 'go', 'features': [ 'f' ] }", 4, "'f' lacks documentation"],
    ['has Since once', `##\n# @go:\n#\n# Since: 1\n#\n# Since: 2\n##\n${go}`, 6, "a second section 'Since:'"],
    ['has text in sections', `##\n# @go:\n#\n# Returns:\n##\n${go}`, 4, 'has no text'],
    ['has no headings', `##\n# @go:\n#\n# = Going\n##\n${go}`, 4, 'a heading'],
    ['is indented evenly', `##\n# @go:\n#\n# @a: b\n#     c\n#   d\n##\n${go}`, 6, 'indented less'],
    ['has Returns for commands', "##\n# @GO:\n#\n# Returns: it\n##\n{ 'event': 'GO' }", 4, 'only commands'],
    ['is there when required', `${EXCEPTIONS}\n${go}`, 2, "in command 'go': lacks documentation"],
    ['describes all members when so agreed', `${EXCEPTIONS}\n##\n# @go:\n##\n${go}`, 5, "'a' lacks documentation"],
  ])('%s', (_, text, line, says) => {
    const error = errorOf(text);
    expect(error.line, error.message).toBe(line);
    expect(error.message).toContain(says);
  });

  it('need not describe the members of exceptions', () => {
    const text = `${EXCEPTIONS}\n##\n# @lax:\n##\n{ 'command': 'lax', 'data': { 'a': 'int' } }`;
    expect(() => compileSchema('t.json', { read: () => text })).not.toThrow();
  });
});
