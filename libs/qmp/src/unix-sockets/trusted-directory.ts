import { lstatSync, statSync, type Stats } from 'node:fs';
import path from 'node:path';

const stickyBit = 0o1000;

/** As whom the files will be used: `own`, this process; `any`, a user this process does not know (root looks on behalf of a service). */
export type DirectoryUser = 'own' | 'any';

/**
 * What speaks against keeping files of ours in a directory, in words; undefined when nothing does, or when there is none
 * yet. Whoever may write there could put sockets and files of his own in place of ours. So only root, this user, and a
 * group that this process runs in may; the sticky bit of the directory itself helps nobody, since it lets everybody make
 * names. Of the directories above it only this is asked, that not everybody may put another in its place.
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
 * What speaks against relying on a name: that everybody may put something else in its place, here or further up. The
 * sticky bit keeps them from that, so `/tmp` will do.
 */
export function nameFault(file: string): string | undefined {
  for (let directory = path.dirname(path.resolve(file)); ; directory = path.dirname(directory)) {
    const status = statSync(directory, { throwIfNoEntry: false });
    if (status !== undefined && (status.mode & 0o002) !== 0 && (status.mode & stickyBit) === 0)
      return `${directory} (mode ${modeOf(status)}, owner ${status.uid}): everybody may put something else in place of what is in it; take that away with chmod o-w`;
    if (directory === path.dirname(directory)) return undefined;
  }
}

/** What keeps this process from giving files of its own to a group; root can give to any. */
export function membershipFault(gid: number): string | undefined {
  if (process.geteuid?.() === 0 || ownGroups().has(gid)) return undefined;
  return `the gateway is not in group ${gid}, so it cannot let that group in`;
}

/** What keeps members of a group out of a directory, as far as there is one yet: a directory on the way they may not enter. */
export function passageFault(directory: string, gid: number): string | undefined {
  for (let at = path.resolve(directory); ; at = path.dirname(at)) {
    const status = statSync(at, { throwIfNoEntry: false });
    if (status !== undefined && (status.mode & (status.gid === gid ? 0o010 : 0o001)) === 0)
      return `${at} (mode ${modeOf(status)}, group ${status.gid}): group ${gid} may not enter it`;
    if (at === path.dirname(at)) return undefined;
  }
}

/** Whether only this user may so much as enter. */
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
