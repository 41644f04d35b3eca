import { choice, flag, list, nullable, text, wholeNumber } from '../http/resource/field-type.js';
import { invalid } from '../http/resource/read-shape.js';
import { NotWith, Optional, Required, Shape, shape } from '../http/resource/shape.js';
import type { Fault } from '../problems/problem.js';

/** QEMU has the first character of a name be none of a number. */
const namePattern = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/;
const nameRules = { pattern: namePattern, takes: 'letters, digits and _ . -, at most 64, the first no digit' };
const longestPath = 4095;
/** Of a multi-queue tap: as many as QEMU takes names at once, with room. */
const mostQueues = 32;

const fileAccess = choice(['read', 'write']);

/** Body of `POST /v1/vms/{vm}/fds`. */
@Shape('FdRequest', {
  what: 'A file of the host, or a tap interface, to pass to a VM. It gets the `name` that `getfd` gives it, or becomes a set of `add-fd` (`fdset`).',
  closed: true,
  exactlyOneOf: ['path', 'tap'],
  examples: [
    { path: '/var/lib/images/data.qcow2', flags: ['read', 'write'], fdset: true },
    { tap: 'tap0', queues: 2, name: 'net0' },
  ],
})
export class FdRequest {
  @Optional(
    text({
      minLength: 1,
      maxLength: longestPath,
      pattern: /^\//,
      takes: 'an absolute path of at most 4095 characters',
    }),
    'A file or a character device that the setting `hostPaths` allows; no part of the path may be a link',
  )
  path?: string;

  @NotWith('tap')
  @Optional(list(fileAccess, { least: 1, most: 2 }), 'What it is opened for; default `["read"]`')
  flags?: readonly ('read' | 'write')[];

  @NotWith('fdset')
  @Optional(text(nameRules), 'Its name in the VM; with several queues they are numbered: `net0-0`, `net0-1`')
  name?: string;

  @NotWith('tap')
  @Optional(flag(), 'True: a new set, which the VM names `/dev/fdset/N`')
  fdset?: boolean;

  @Optional(text({ maxLength: 1000 }), 'Of a set: what `query-fdsets` shows with it')
  opaque?: string;

  @Optional(
    text({
      pattern: /^[^/\s\u0000-\u001f]{1,15}$/,
      takes: 'the name of an interface: at most 15 characters, no / and no space',
    }),
    'A tap interface of the host; `hostPaths` must allow `/dev/net/tun`',
  )
  tap?: string;

  @NotWith('path')
  @Optional(wholeNumber({ least: 1, most: mostQueues }), 'Of a tap that was made with several; default 1')
  queues?: number;
}

/** @throws Problem `invalid-request` for members that do not go together */
export function requireConsistent({ name, fdset, opaque, flags = [] }: FdRequest): void {
  const faults: Fault[] = [];
  if (fdset !== true && name === undefined)
    faults.push({
      pointer: '/name',
      message: 'missing: the name the VM will know it by; or send fdset: true for a set',
    });
  if (fdset !== true && opaque !== undefined)
    faults.push({ pointer: '/opaque', message: 'is for a set (fdset: true)' });
  if (new Set(flags).size < flags.length) faults.push({ pointer: '/flags', message: 'must not name one twice' });
  if (faults.length > 0) throw invalid('body', faults);
}

/** What a VM was given. */
@Shape('PassedFd')
export class PassedFdShape {
  @Required(text(), 'What to write in the arguments of a command: a name, names with colons between, or `/dev/fdset/N`')
  use!: string;

  @Required(list(text()), 'Names of `getfd`; empty for a set')
  names!: readonly string[];

  @Required(nullable(wholeNumber()), 'Number of the set, for `remove-fd`; null for names')
  fdset!: number | null;

  @Required(nullable(wholeNumber()), 'Number of the descriptor in the VM, for `remove-fd`; null for names')
  fd!: number | null;

  @Required(text(), 'The real path of the file that was opened')
  path!: string;

  @Required(text(), 'The session it was passed in. After it, commands that use it are refused: `descriptor-lost`')
  epoch!: string;
}

/** A descriptor that a VM was given through this gateway. */
@Shape('KnownFd')
export class KnownFdShape {
  @Required(text(), 'A name, or `/dev/fdset/N`')
  use!: string;

  @Required(text(), 'The session it was passed in')
  epoch!: string;

  @Required(
    nullable(flag()),
    'Whether the VM has it: of a set, what `query-fdsets` says. Null where nobody can know: no command lists names',
  )
  present!: boolean | null;
}

@Shape('FdList')
export class FdListShape {
  @Required(list(shape(() => KnownFdShape)), 'The newest 256 names and 256 sets')
  fds!: readonly KnownFdShape[];
}
