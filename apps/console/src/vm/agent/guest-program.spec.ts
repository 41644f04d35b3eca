import { describe, expect, it } from 'vitest';
import { faultOf, programOf, type ProgramForm } from './guest-program.js';

const form = (part: Partial<ProgramForm>): ProgramForm => ({
  ...{ mode: 'shell', line: '', path: '', args: '', input: '' },
  ...part,
});

describe('a program to run', () => {
  it('is a line for the shell of the guest', () => {
    expect(programOf(form({ line: 'uname -a; exit 3' }), 'debian')).toEqual({
      ...{ path: '/bin/sh', arg: ['-c', 'uname -a; exit 3'] },
    });
    expect(programOf(form({ line: 'dir' }), 'mswindows').path).toContain('cmd.exe');
  });

  it('is a path with its arguments as they were written', () => {
    const asked = form({ mode: 'program', path: '/bin/echo', args: 'a b\n\n c\n', input: 'x' });
    expect(programOf(asked, undefined)).toEqual({ path: '/bin/echo', arg: ['a b', '', ' c'], input: 'x' });
  });

  it('says what it needs', () => {
    expect(faultOf(form({ line: ' ' }))).toContain('command line');
    expect(faultOf(form({ mode: 'program' }))).toContain('path');
    expect(faultOf(form({ line: 'ls' }))).toBeUndefined();
  });
});
