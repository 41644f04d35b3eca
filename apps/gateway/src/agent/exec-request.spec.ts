import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBody } from '../http/resource/read-shape.js';
import type { Problem } from '../problems/problem.js';
import { execArguments, ExecRequest, execTimeoutMs } from './exec-request.js';

const read = (body: unknown) => readBody(ExecRequest, body);

function pointersOf(body: unknown): unknown {
  try {
    read(body);
  } catch (error) {
    const { code, fields } = error as Problem;
    expect(code).toBe('invalid-request');
    return fields.errors?.map((fault) => `${String(fault.in)} ${fault.pointer}`);
  }
  return undefined;
}

describe('the body of a program', () => {
  it('becomes the arguments of guest-exec, and how long it is followed', () => {
    const bare = read({ path: '/bin/true' });
    expect(execArguments(bare)).toEqual({ path: '/bin/true', 'capture-output': true });
    expect(execTimeoutMs(bare)).toBe(600_000);
    const full = read({ path: '/bin/cat', arg: ['-'], env: ['A=b'], input: 'ä', timeout: '90s' });
    expect(execArguments(full)).toEqual({
      ...{ path: '/bin/cat', arg: ['-'], env: ['A=b'], 'capture-output': true },
      'input-data': Buffer.from('ä').toString('base64'),
    });
    expect(execTimeoutMs(full)).toBe(90_000);
    expect(execArguments(read({ path: '/bin/cat', inputBase64: '/wA=' }))).toMatchObject({ 'input-data': '/wA=' });
  });

  it.each([
    ['no body', undefined, ['body ']],
    ['nothing in it', {}, ['body /path']],
    ['an empty path', { path: '' }, ['body /path']],
    ['a long path', { path: 'x'.repeat(4097) }, ['body /path']],
    ['an argument that is no string', { path: '/a', arg: ['a', 'b', 'c', 4] }, ['body /arg/3']],
    ['too many variables', { path: '/a', env: Array(10_001).fill('A=b') }, ['body /env']],
    ['arguments that are no list', { path: '/a', arg: 'b' }, ['body /arg']],
    ['input given twice', { path: '/a', input: 'a', inputBase64: 'YQ==' }, ['body /inputBase64']],
    ['no time', { path: '/a', timeout: '0' }, ['body /timeout']],
    ['over a day', { path: '/a', timeout: '25h' }, ['body /timeout']],
    ['a number', { path: '/a', timeout: 5 }, ['body /timeout']],
    ['null', { path: '/a', input: null }, ['body /input']],
    [
      'several faults',
      { args: [], timeout: 'soon', inputBase64: 'not base64!' },
      ['body /args', 'body /path', 'body /inputBase64', 'body /timeout'],
    ],
  ])('is refused with %s, with the place of each fault', (_, body, pointers) => {
    const found = pointersOf(body) as string[];
    expect([...found].sort()).toEqual([...pointers].sort());
  });

  it('points at every argument that is no string', () =>
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant(null))), (arg) => {
        const wrong = arg.flatMap((value, at) => (typeof value === 'string' ? [] : [`body /arg/${at}`]));
        expect(pointersOf({ path: '/a', arg })).toEqual(wrong.length === 0 ? undefined : wrong);
      }),
    ));
});
