import { describe, expect, it } from 'vitest';
import { readQuery } from '../http/resource/read-shape.js';
import { ScreenQuery } from './screen-query.js';

const displayOf = (query: string) => readQuery(ScreenQuery, query).display();

describe('the query of a picture', () => {
  it.each([
    ['', {}],
    ['device=vga', { device: 'vga' }],
    ['device=gpu0&head=1', { device: 'gpu0', head: 1 }],
  ])('names a display: %j', (query, display) => expect(displayOf(query)).toEqual(display));

  it.each([
    ['device=', ['/device']],
    [`device=${'x'.repeat(201)}`, ['/device']],
    ['head=first', ['/head']],
    ['head=-1', ['/head']],
    ['head=1234567890', ['/head']],
    ['filename=/etc/passwd&head=x', ['/filename', '/head']],
  ])('is refused: %j', (query, pointers) =>
    expect(() => displayOf(query)).toThrow(
      expect.objectContaining({
        code: 'invalid-request',
        fields: { errors: pointers.map((pointer) => expect.objectContaining({ in: 'query', pointer })) },
      }),
    ),
  );

  it('is malformed with a character that no VM reads', () =>
    expect(() => displayOf('device=a%EF%BF%BF')).toThrow(/malformed-json: parameter "device": noncharacter/));
});
