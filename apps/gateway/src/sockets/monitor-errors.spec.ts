import { describe, expect, it } from 'vitest';
import { JsonSyntaxError } from '@qmp-gateway/qapi';
import { problemCodes } from '../problems/catalogue.js';
import { Problem } from '../problems/problem.js';
import { inputError, qmpErrorOf, shown } from './monitor-errors.js';
import { StrayByte } from './qmp-input.js';

const generic = (desc: string) => ({ class: 'GenericError', desc });

describe('an error as QMP has it', () => {
  it('is what the VM said, unchanged', () => {
    const qmp = { class: 'DeviceNotActive', desc: 'No balloon. Anywhere.' };
    expect(qmpErrorOf(new Problem('device-not-active', 'x', { qmp }))).toBe(qmp);
  });

  it('names arguments by their place, as QMP servers do, and the nearest names', () => {
    const errors = [
      { pointer: '/id', message: 'missing' },
      { pointer: '/inner/a~1b/0/depth', message: 'expected an integer' },
      { pointer: '/colour', message: 'unknown', suggestions: ['color', 'collar'] },
      { pointer: '', message: 'expected an object' },
    ];
    expect(qmpErrorOf(new Problem('invalid-arguments', 'Four faults, listed in errors.', { errors }))).toEqual(
      generic(
        "Argument 'id': missing; Argument 'inner.a/b[0].depth': expected an integer; " +
          "Argument 'colour': unknown; did you mean color or collar?; The arguments: expected an object",
      ),
    );
  });

  it.each([
    [
      new Problem('forbidden', 'stop needs level operate; the credentials have level read (rule base: pauses it).'),
      'stop needs level operate; the credentials have level read (rule base: pauses it)',
    ],
    [
      new Problem('not-offered', 'getfd: needs a file descriptor passed over the socket, which HTTP can not carry.'),
      'getfd: needs a file descriptor passed over the socket, which this monitor can not pass on',
    ],
    [
      new Problem('body-too-large', 'The encoded command is over 10 bytes (limits.commandBytes).'),
      'The command is over 10 bytes (limits.commandBytes)',
    ],
    [
      new Problem('too-many-requests', 'These credentials have 5 requests a second (limits.requestsPerSecond).'),
      'These credentials have 5 commands a second (limits.requestsPerSecond)',
    ],
    [
      new Problem('deadline-exceeded', 'No reply within 10 ms; the command goes on, and its operation will tell.'),
      'No reply within 10 ms; the command may still be carried out',
    ],
    [
      new Problem('deadline-exceeded', 'The command waited 10 ms for its turn and was not sent.', {
        outcome: 'not-sent',
      }),
      'The command waited 10 ms for its turn and was not sent',
    ],
    [
      new Problem('malformed-json', 'line 1, column 66: nested deeper than 64'),
      "The arguments can't be read: line 1, column 66: nested deeper than 64",
    ],
    [
      new Problem('epoch-changed', 'The present session is r1.2.'),
      'The connection to the VM was lost; the command was not run',
    ],
    [new Problem('vm-unavailable', 'The VM is waiting.'), 'The VM is waiting'],
  ])('speaks of commands and the VM: %s', (problem, desc) => {
    expect(qmpErrorOf(problem)).toEqual(generic(desc));
  });

  it('is of class CommandNotFound for an unknown command, with the nearest names', () => {
    const errors = [{ pointer: '', message: 'unknown command "stpo"', suggestions: ['stop'] }];
    expect(
      qmpErrorOf(new Problem('command-not-found', 'VM a has no command "stpo".', { command: 'stpo', errors })),
    ).toEqual({
      class: 'CommandNotFound',
      desc: "There is no command 'stpo'; did you mean stop?",
    });
  });

  it('has a class and words of its own for every problem there is', () => {
    for (const code of problemCodes) {
      const { class: errorClass, desc } = qmpErrorOf(new Problem(code, 'Words of the problem.'));
      expect([code, errorClass]).toEqual([code, code === 'command-not-found' ? 'CommandNotFound' : 'GenericError']);
      expect(desc).toMatch(/^[A-Z].*[^.]$/);
    }
  });

  it('says which byte is out of place, or where the JSON is wrong', () => {
    expect(inputError(new StrayByte(0x40))).toEqual(generic("Not JSON: '@' is out of place"));
    expect(inputError(new StrayByte(0xff))).toEqual(generic('Not JSON: byte 0xFF is out of place'));
    expect(inputError(new StrayByte(0x0a))).toEqual(generic('Not JSON: byte 0x0A is out of place'));
    const desc = "Not JSON: line 1, column 4: expected ':' after the member name";
    expect(inputError(new JsonSyntaxError("expected ':' after the member name", 3, 1, 4))).toEqual(generic(desc));
  });

  it('repeats a name of the client short, and in whole characters', () => {
    expect(shown('x'.repeat(500))).toBe(`'${'x'.repeat(100)}'`);
    expect(shown(`${'x'.repeat(99)}\u{1F600}`)).toBe(`'${'x'.repeat(99)}\uFFFD'`);
  });
});
