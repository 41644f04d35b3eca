import { holdFile, parseEndpoint, type HeldFile } from '@qmp-gateway/qmp';
import { basename, dirname, isAbsolute } from 'node:path';
import { matchesGlob } from '../access/glob.js';
import { realPath, type OwnSockets } from '../settings/own-sockets.js';
import type { VmDefinition } from '../settings/vm-definition.js';
import { endpointAnchor } from '../vms/endpoint-anchor.js';
import { monitorOwner } from '../vms/monitor-owner.js';

/** What the gateway opens for a line, checked and held; or why not, without paths, which not everybody may see. */
export type HeldAddress = { readonly held: HeldFile } | { readonly reason: string };

/** What decides which files a VM may name. */
export interface AddressRules {
  /** Globs of paths beyond the directory of a VM's monitor. */
  readonly paths: readonly string[];
  readonly own: Pick<OwnSockets, 'has'>;
  /** Endpoints of all VMs and agents: nobody's serial lines. */
  endpoints(): Iterable<string>;
}

type Definition = Pick<VmDefinition, 'endpoint'>;

/** The kernel's bound of an address, without its end. */
const longestPath = 107;
const ptyPattern = /^\/dev\/pts\/\d{1,9}$/;

/**
 * The socket of a serial line. The VM says where it is and may be hostile, while the gateway may be allowed more than the
 * VM is: the socket must be of the user that the VM's monitor is of, in the monitor's directory or where the settings
 * allow it, and no link may lead there.
 */
export function holdSerialSocket(path: string, definition: Definition, rules: AddressRules): HeldAddress {
  const endpoint = parseEndpoint(definition.endpoint);
  if (!('path' in endpoint))
    return refused('The monitor of this VM is no unix socket, so its serial sockets are of another host.');
  if (!isAbsolute(path) || path.includes('\0') || Buffer.byteLength(path) > longestPath)
    return refused('The path of its socket is relative or too long; only QEMU itself finds it.');
  const anchor = anchorOf(path, dirname(endpoint.path), rules.paths);
  if (anchor === undefined)
    return refused(
      'Its socket is not in the directory of the VM’s monitor, and no glob of the setting serials.paths allows it.',
    );
  if (rules.own.has(path) || isEndpoint(path, rules))
    return refused('Its socket is a monitor, an agent, or the gateway’s own.');
  return held(path, anchor, endpoint.path, (status) => status.isSocket());
}

/** The terminal of a serial line: the other end of the VM's own, so it belongs to the VM's user. */
export function holdPty(path: string, definition: Definition): HeldAddress {
  const endpoint = parseEndpoint(definition.endpoint);
  if (!('path' in endpoint))
    return refused('The monitor of this VM is no unix socket, so its ptys are of another host.');
  if (!ptyPattern.test(path)) return refused('It is no pty of this host (/dev/pts/…).');
  return held(path, '/dev/pts', endpoint.path, (status) => status.isCharacterDevice());
}

function held(
  path: string,
  anchor: string,
  monitor: string,
  isRight: (status: HeldFile['status']) => boolean,
): HeldAddress {
  let file: HeldFile;
  try {
    file = holdFile(path, anchor);
  } catch (error) {
    return refused(unreachable(error as NodeJS.ErrnoException));
  }
  if (isRight(file.status) && file.status.uid === monitorOwner(monitor)) return { held: file };
  file.release();
  return refused(
    isRight(file.status)
      ? 'It belongs to another user than the VM’s monitor.'
      : 'What is at its path is something else.',
  );
}

function refused(reason: string): HeldAddress {
  return { reason };
}

/** The directory below which no name may be a link; undefined where the VM may not name the path. */
function anchorOf(path: string, monitors: string, globs: readonly string[]): string | undefined {
  if (dirname(path) === monitors) return monitors;
  const matching = globs.filter((glob) => matchesGlob(glob, path));
  if (matching.length === 0) return undefined;
  return (
    endpointAnchor(
      matching.map((glob) => `unix:${glob}`),
      `unix:${path}`,
    )?.anchor ?? dirname(path)
  );
}

/** Whether a VM's monitor or agent is at this path, by whatever spelling. */
function isEndpoint(path: string, rules: AddressRules): boolean {
  const name = basename(path);
  let real: string | undefined;
  for (const text of rules.endpoints()) {
    // Of thousands of endpoints few have this name, and only those are looked up.
    if (!text.endsWith(`/${name}`)) continue;
    const endpoint = parseEndpoint(text);
    if ('path' in endpoint && realPath(endpoint.path) === (real ??= realPath(path))) return true;
  }
  return false;
}

function unreachable({ code = '', message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'The gateway does not see it: it was removed, or is in another file system.';
  if (code === 'EACCES' || code === 'EPERM') return 'The gateway has no permission to use it.';
  if (code === 'ELINKED') return 'A link leads to it, or it has several names.';
  return `The gateway cannot use it (${code === '' ? message.slice(0, 80) : code}).`;
}
