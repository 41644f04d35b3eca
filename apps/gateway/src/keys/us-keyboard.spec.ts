import { loadBundledCatalog } from '@qmp-gateway/catalog';
import { describe, expect, it } from 'vitest';
import { strokesOf } from './us-keyboard.js';

const printable = Array.from({ length: 0x7f - 0x20 }, (_, index) => String.fromCharCode(0x20 + index)).join('');

describe('the US keyboard', () => {
  it('types every printable character of ASCII, each by a stroke of its own', () => {
    const strokes = strokesOf(printable);
    expect(strokes).toHaveLength(printable.length);
    expect(new Set((strokes as string[][]).map((stroke) => stroke.join('+'))).size).toBe(printable.length);
  });

  it.each([
    ['a', ['a']],
    ['A', ['shift', 'a']],
    ['7', ['7']],
    ['&', ['shift', '7']],
    [')', ['shift', '0']],
    ['"', ['shift', 'apostrophe']],
    ['\t', ['tab']],
  ])('types %j', (text, stroke) => expect(strokesOf(text)).toEqual([stroke]));

  it('presses Enter once for a line end', () =>
    expect(strokesOf('a\r\nb\rc\n')).toEqual([['a'], ['ret'], ['b'], ['ret'], ['c'], ['ret']]));

  it.each([
    ['naïve', { position: 2, codePoint: 0xef }],
    ['a\u{1f600}', { position: 1, codePoint: 0x1f600 }],
    ['\0', { position: 0, codePoint: 0 }],
  ])('cannot type %j', (text, untypable) => expect(strokesOf(text)).toEqual(untypable));

  it('has only keys that QEMU names', async () => {
    const { model } = await loadBundledCatalog({ file: 'qemu-7.2.json' });
    const keys = model.types.get('QKeyCode');
    const names = keys?.kind === 'enum' ? keys.values.map(({ name }) => name) : [];
    const used = (strokesOf(`${printable}\t\n`) as string[][]).flat();
    expect(used.filter((key) => !names.includes(key))).toEqual([]);
  });
});
