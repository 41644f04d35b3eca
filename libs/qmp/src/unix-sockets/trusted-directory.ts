import { lstatSync, statSync, type Stats } from 'node:fs';
import path from 'node:path';

const stickyBit = 0o1000;

/**
 * The user of the files: `own`, this process; `any`, a user this process does not know (root checks on behalf of a
 * service).
 */
export type DirectoryUser = 'own' | 'any';

/**
 * Describes why a directory is not safe for the gateway's files; undefined if it is safe, or does not exist yet.
 * Whoever may write there could replace the gateway's sockets and files. So only root, this user, and a group of this
 * process may; the sticky bit of the directory itself does not help, because it lets everybody create names. The
 * directories above it only need to prevent everybody from replacing a name.
 */
export function directoryFault(directory: string, user: DirectoryUser = 'own'): string | undefined {
  const full = path.resolve(directory);
  try {
    return faultOf(full, user);
  } catch (error) {
    return `${full} cannot be looked at (${(error as NodeJS.ErrnoException).code ?? String(error)})`;
  }
}

function faultOf(full: string, user: DirectoryUser): string | undefined {
  const link = lstatSync(full, { throwIfNoEntry: false });
  if (link === undefined) return nameFault(full);
  if (user === 'own' && link.isSymbolicLink() && !isTrusted(link.uid))
    return `${full} is a link made by somebody else (owner ${link.uid})`;
  const status = statSync(full, { throwIfNoEntry: false });
  if (status === undefined) return `${full} is a link to nothing`;
  if (!status.isDirectory()) return `${full} is not a directory`;
  const shown = `${full} (mode ${modeOf(status)}, owner ${status.uid}, group ${status.gid})`;
  if ((status.mode & 0o002) !== 0) return `${shown}: everybody may write there; take that away with chmod o-w`;
  if (user === 'own' && !isTrusted(status.uid)) return `${shown}: it belongs to another user`;
  if (user === 'own' && (status.mode & 0o020) !== 0 && !ownGroups().has(status.gid))
    return `${shown}: a group may write there that the gateway is not in; take that away with chmod g-w`;
  return nameFault(full);
}

/**
 * Describes why a name is not safe: everybody may replace it, here or further up. The sticky bit prevents that, so
 * `/tmp` is safe.
 */
export function nameFault(file: string): string | undefined {
  for (let directory = path.dirname(path.resolve(file)); ; directory = path.dirname(directory)) {
    const status = statSync(directory, { throwIfNoEntry: false });
    if (status !== undefined && (status.mode & 0o002) !== 0 && (status.mode & stickyBit) === 0)
      return `${directory} (mode ${modeOf(status)}, owner ${status.uid}): everybody may put something else in place of what is in it; take that away with chmod o-w`;
    if (directory === path.dirname(directory)) return undefined;
  }
}

/** Describes why this process cannot give its files to a group; root can give them to any. */
export function membershipFault(gid: number): string | undefined {
  if (process.geteuid?.() === 0 || ownGroups().has(gid)) return undefined;
  return `the gateway is not in group ${gid}, so it cannot let that group in`;
}

/**
 * Describes what keeps members of a group out of a directory, as far as it exists: a directory on the path that they
 * may not enter.
 */
export function passageFault(directory: string, gid: number): string | undefined {
  for (let at = path.resolve(directory); ; at = path.dirname(at)) {
    const status = statSync(at, { throwIfNoEntry: false });
    if (status !== undefined && (status.mode & (status.gid === gid ? 0o010 : 0o001)) === 0)
      return `${at} (mode ${modeOf(status)}, group ${status.gid}): group ${gid} may not enter it`;
    if (at === path.dirname(at)) return undefined;
  }
}

/** Whether only this user may enter. */
export function isPrivate({ mode, uid }: Stats): boolean {
  return uid === process.getuid?.() && (mode & 0o077) === 0;
}

function isTrusted(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

function ownGroups(): ReadonlySet<number> {
  return new Set([...(process.getgroups?.() ?? []), process.getegid?.() ?? -1]);
}

function modeOf({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
