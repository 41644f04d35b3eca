import { describe, expect, it } from 'vitest';
import { asNumber, asObject, parsedJson, returnedList, returnedObject } from './peer-json.js';

const returned = (json: string) => ({ kind: 'return', value: Buffer.from(json) }) as const;

describe('what a peer wrote', () => {
  it('is an object only when it is one', () => {
    const values = ['null', '[]', '[{}]', '1', '"a"', 'inf', '{', ''];
    expect(values.map((json) => returnedObject(returned(json)))).toEqual(values.map(() => undefined));
    expect(returnedObject(returned('{"a":[null]}'))).toEqual({ a: [null] });
    expect(returnedObject({ kind: 'error', class: 'GenericError', desc: '' })).toBeUndefined();
    expect(asObject(parsedJson('{"__proto__":{"a":1}}'))?.['a']).toBeUndefined();
  });

  it('is a list only when it is one, of objects', () => {
    expect(returnedList(returned('[null,1,["a"],{"a":1}]'))).toEqual([{}, {}, {}, { a: 1 }]);
    expect(['{}', 'null', '"a"'].map((json) => returnedList(returned(json)))).toEqual(Array<undefined>(3));
  });

  it('is a number only when it is one that can be a count', () => {
    const numbers = ['1', '0', '1.5', '1e308'];
    expect(numbers.map((json) => asNumber(parsedJson(json)))).toEqual([1, 0, 1.5, 1e308]);
    const others = ['1e999', '-1e999', '-1', '"1"', 'null', '{}', 'inf'];
    expect(others.map((json) => asNumber(parsedJson(json)))).toEqual(others.map(() => undefined));
  });

  it('is read without its lists and objects when it is long', () => {
    const long = 'x'.repeat(2 ** 20);
    const read = returnedObject(
      returned(`{ "buf-b64" : "${long}" , "eof":true,"list":[[1],{}],"object":{"a":1},"n":null}`),
    );
    expect(read).toEqual({ 'buf-b64': long, eof: true, n: null });
    expect(returnedList(returned(`["${long}"]`))).toBeUndefined();
    expect(parsedJson(`{"a":"${long}"`)).toBeUndefined();
    expect(parsedJson(`{${'"a":1,'.repeat(200_000)}"a":1}`)).toBeUndefined();
  });
});
