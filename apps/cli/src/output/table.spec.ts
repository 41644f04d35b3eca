import { describe, expect, it } from 'vitest';
import { styleOf } from './style.js';
import { detailLines, tableLines, type Column } from './table.js';
import { columnsOf, cutTo, shownLines, oneLine } from './terminal-text.js';

const style = styleOf({}, {});
const columns: Column<readonly string[]>[] = [
  { title: 'ID', of: ([id = '']) => id, least: 6 },
  { title: 'STATE', of: ([, state = '']) => state, colour: 'state' },
  { title: 'AGE', of: ([, , age = '']) => age, align: 'right' },
];

describe('a table', () => {
  it('has its columns below each other, and nothing at the end of a line', () => {
    expect(
      tableLines(
        columns,
        [
          ['a', 'ready', '5s'],
          ['long-id', '', '12m3s'],
        ],
        { style, width: undefined },
      ),
    ).toEqual(['ID       STATE    AGE', 'a        ready     5s', 'long-id  -      12m3s']);
  });

  it('fits the terminal, as far as columns may be cut', () => {
    const row = ['an-id-that-is-very-long', 'ready', '5s'];
    const lines = tableLines(columns, [row], { style, width: 24 });
    expect(lines[1]).toBe('an-id-that-…  ready   5s');
    expect(Math.max(...lines.map(columnsOf))).toBeLessThanOrEqual(24);
    expect(tableLines(columns, [row], { style, width: 10 })[1]).toBe('an-id…  ready   5s');
  });

  it('is coloured on a terminal only, and not against NO_COLOR', () => {
    const coloured = styleOf({ isTTY: true }, {});
    expect(tableLines(columns, [['a', 'ready', '']], { style: coloured, width: 80 })[1]).toContain(
      '\u001b[32mready\u001b[39m',
    );
    for (const environment of [{ NO_COLOR: '1' }, { TERM: 'dumb' }])
      expect(styleOf({ isTTY: true }, environment)('red', 'a')).toBe('a');
    expect(styleOf({ isTTY: false }, {})('red', 'a')).toBe('a');
    expect(styleOf({ isTTY: true }, { NO_COLOR: '' })('red', 'a')).not.toBe('a');
  });

  it('shows details as names and values', () => {
    expect(
      detailLines(
        [
          ['id', 'a'],
          ['run state', 'b'],
          ['none', undefined],
        ],
        style,
      ),
    ).toEqual(['id:        a', 'run state: b']);
  });
});

describe('texts of others', () => {
  it('cannot command the terminal', () => {
    expect(oneLine('a\u001b[2Jb\nc\u009b1m\u202e')).toBe('a\\u001b[2Jb\\nc\\u009b1m\\u202e');
    expect(shownLines('a\r\n\tb\u001b]0;x\u0007')).toBe('a\n\tb\\u001b]0;x\\u0007');
  });

  it('take the columns that they take', () => {
    expect([columnsOf('abc'), columnsOf('日本'), columnsOf('e\u0301'), columnsOf('🙂')]).toEqual([3, 4, 1, 2]);
    expect([cutTo('日本語', 5), cutTo('日本語', 6), cutTo('abcdef', 3)]).toEqual(['日本…', '日本語', 'ab…']);
  });
});
