import { describe, expect, it } from 'vitest';
import { readBody } from '../http/resource/read-shape.js';
import type { Problem } from '../problems/problem.js';
import { KeysRequest, readKeys } from './keys-request.js';

const keysOf = (body: unknown) => readKeys(readBody(KeysRequest, body));

describe('the body of keys', () => {
  it('is a text to type or keys to press together', () => {
    expect(keysOf({ text: 'Hi' })).toEqual({ strokes: [['shift', 'h'], ['i']], holdMs: 20 });
    expect(keysOf({ keys: ['ctrl', 'alt', 'delete'], hold: '2s' })).toEqual({
      strokes: [['ctrl', 'alt', 'delete']],
      holdMs: 2000,
    });
  });

  it.each([
    ['neither', {}, ''],
    ['both', { text: 'a', keys: ['a'] }, ''],
    ['no object', 'a', ''],
    ['an unknown member', { txt: 'a' }, '/txt'],
    ['an empty text', { text: '' }, '/text'],
    ['a long text', { text: 'a'.repeat(1001) }, '/text'],
    ['a character without a key', { text: 'é' }, '/text'],
    ['no keys', { keys: [] }, '/keys'],
    ['many keys', { keys: Array(9).fill('a') }, '/keys'],
    ['a key that is no name', { keys: ['a', 30] }, '/keys/1'],
    ['a hold that is no duration', { text: 'a', hold: 'long' }, '/hold'],
    ['a hold that is a number', { text: 'a', hold: 1 }, '/hold'],
    ['no hold', { text: 'a', hold: '0' }, '/hold'],
    ['a long hold', { text: 'a', hold: '11s' }, '/hold'],
    ['all of a minute', { text: 'a'.repeat(251), hold: '100ms' }, '/hold'],
    ['all of a minute without a hold of its own', { text: 'A'.repeat(1000) }, '/text'],
  ])('is not %s', (_, body, pointer) => {
    let refusal: unknown;
    try {
      keysOf(body);
    } catch (error) {
      refusal = error;
    }
    expect((refusal as Problem).code).toBe('invalid-request');
    expect((refusal as Problem).fields.errors).toContainEqual(expect.objectContaining({ in: 'body', pointer }));
  });

  it('says which character has no key, and never the text', () => {
    expect(() => keysOf({ text: 'pass wört' })).toThrow('character 7 (U+00F6)');
    expect(() => keysOf({ text: 'pass wört' })).not.toThrow('pass');
  });
});
