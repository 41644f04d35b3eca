import { matchesGlob } from './glob.js';
import { reaches, type CommandGlobs, type Grant } from './principal.js';

/** A VM id, or a glob of them. */
const idGlob = /^[A-Za-z0-9._*-]{1,256}$/;
const labelGlob = /^label:[A-Za-z0-9][A-Za-z0-9._/-]{0,62}=.{0,256}$/su;

/** True for an entry of a grant's `vms`: an id glob, or `label:key=glob`. */
export function isVmPattern(pattern: string): boolean {
  return idGlob.test(pattern) || labelGlob.test(pattern);
}

/**
 * True when every VM that `inner` means is meant by `outer`.
 *
 * A glob covers another exactly when it matches the other's text: only a star can match the other's star, and whatever
 * that star may stand for, the outer one stands for too.
 */
export function coversPattern(outer: string, inner: string): boolean {
  if (outer === '*') return true;
  if (!outer.startsWith('label:')) return !inner.startsWith('label:') && matchesGlob(outer, inner);
  const at = outer.indexOf('=') + 1;
  return inner.slice(0, at) === outer.slice(0, at) && matchesGlob(outer.slice(at), inner.slice(at));
}

/**
 * Why a grant is more than its giver has, in words; undefined when it is not. Commands the giver is denied are no
 * question here: what is given inherits those rules (see {@link narrowedCommands}).
 */
export function excess(giver: Grant, wanted: Grant): string | undefined {
  if (!reaches(giver.level, wanted.level))
    return `level ${wanted.level} is above the maker's own, which is ${giver.level}`;
  const vm = beyond(giver.vms, wanted.vms, coversPattern);
  if (vm !== undefined)
    return `${JSON.stringify(vm)} is outside the maker's own VMs, which are ${giver.vms.join(' ') || 'none'}`;
  const command = beyond(giver.commands?.allow, wanted.commands?.allow ?? [], matchesGlob);
  if (command !== undefined) return `command ${JSON.stringify(command)} is not among those the maker may run`;
  // Level host registers VMs anywhere.
  const endpoints = reaches(giver.level, 'host') ? undefined : (giver.endpoints ?? []);
  const endpoint = beyond(endpoints, wanted.endpoints ?? [], matchesGlob);
  return endpoint === undefined ? undefined : `endpoint ${JSON.stringify(endpoint)} is outside the maker's own`;
}

/** The first pattern that none of the giver's covers; a giver without a list covers all. */
function beyond(
  given: readonly string[] | undefined,
  wanted: readonly string[],
  covers: (outer: string, inner: string) => boolean,
): string | undefined {
  return given && wanted.find((pattern) => !given.some((own) => covers(own, pattern)));
}

/** The command rules of what is given: allowed is what was asked for, or the giver's; denied is what either denies. */
export function narrowedCommands(giver: CommandGlobs = {}, wanted: CommandGlobs = {}): CommandGlobs | undefined {
  const allow = wanted.allow ?? giver.allow;
  const deny = [...new Set([...(giver.deny ?? []), ...(wanted.deny ?? [])])];
  if (allow === undefined && deny.length === 0) return undefined;
  return { ...(allow === undefined ? {} : { allow }), ...(deny.length === 0 ? {} : { deny }) };
}
