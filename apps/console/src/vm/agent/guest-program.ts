import type { ExecRequest } from '@qmp-gateway/client';

/** What a form asks to run. */
export interface ProgramForm {
  /** `shell`: `line` is for the guest's shell; `program`: a path, and arguments line by line. */
  readonly mode: 'shell' | 'program';
  readonly line: string;
  readonly path: string;
  readonly args: string;
  readonly input: string;
}

/** @param osId `id` of `guest-get-osinfo`; undefined where the agent does not say */
export function programOf({ mode, line, path, args, input }: ProgramForm, osId: string | undefined): ExecRequest {
  const program = mode === 'program' ? { path, arg: linesOf(args) } : shellFor(osId, line);
  return { ...program, ...(input === '' ? {} : { input }) };
}

/** What the form still needs; undefined where it can be sent. */
export function faultOf({ mode, line, path }: ProgramForm): string | undefined {
  if (mode === 'shell') return line.trim() === '' ? 'Enter a command line.' : undefined;
  return path.trim() === '' ? 'Enter the path of a program in the guest.' : undefined;
}

function shellFor(osId: string | undefined, line: string): Pick<ExecRequest, 'path' | 'arg'> {
  return osId === 'mswindows'
    ? { path: 'C:\\Windows\\System32\\cmd.exe', arg: ['/d', '/s', '/c', line] }
    : { path: '/bin/sh', arg: ['-c', line] };
}

function linesOf(text: string): string[] {
  const lines = text.split('\n');
  // The last line is empty where the text ends with a line feed, and is no argument then.
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}
