import { describe, expect, it } from 'vitest';
import { splitLine } from './shell-words.js';

describe('a line of the shell', () => {
  it.each([
    ['device_add driver=e1000 id=a', ['device_add', 'driver=e1000', 'id=a']],
    ['  a   b ', ['a', 'b']],
    [`a 'b c' "d e" f\\ g`, ['a', 'b c', 'd e', 'f g']],
    [`a k="x \\" y"`, ['a', 'k=x " y']],
    ['x file={"driver": "file", "n": [1, 2]} y', ['x', 'file={"driver": "file", "n": [1, 2]}', 'y']],
    ['x k:=["a b", "c}"] y', ['x', 'k:=["a b", "c}"]', 'y']],
    ['x k={"a": "\\" ]"}', ['x', 'k={"a": "\\" ]"}']],
    ['qom-list path=/machine/unattached/device[0]', ['qom-list', 'path=/machine/unattached/device[0]']],
    ["a k=it's", ['a', 'k=its']],
    ['a k=', ['a', 'k=']],
    ["a ''", ['a', '']],
  ])('%j', (line, words) => expect(splitLine(line).words).toEqual(words));

  it('goes on while a quote or a bracket is open', () => {
    for (const line of ['a {', 'a k={"b": [1', 'a "b', "a 'b", '{\n"execute": "stop"'])
      expect([line, splitLine(line).isOpen]).toEqual([line, true]);
    for (const line of ['a {}', 'a k=[1]', 'a }', 'a k=x[0', '{"execute": "stop"}'])
      expect([line, splitLine(line).isOpen]).toEqual([line, false]);
  });

  it('knows where its last word begins', () => {
    expect(splitLine('a bc').last).toEqual({ at: 2, text: 'bc' });
    expect(splitLine('a bc ').last).toEqual({ at: 5, text: '' });
  });
});
