import { matchesGlob } from './glob.js';
import { reaches, type CommandGlobs, type Grant } from './principal.js';

/**
 * True if `outer` selects every VM that `inner` selects.
 *
 * A glob covers another exactly if it matches the other's text: only a star can match the other's star, and then it
 * matches everything that the other's star can match.
 */
export function coversPattern(outer: string, inner: string): boolean {
  if (outer === '*') return true;
  if (!outer.startsWith('label:')) return !inner.startsWith('label:') && matchesGlob(outer, inner);
  const at = outer.indexOf('=') + 1;
  return inner.slice(0, at) === outer.slice(0, at) && matchesGlob(outer.slice(at), inner.slice(at));
}

/**
 * Describes how a grant exceeds its giver's; undefined if it does not. Commands that the giver is denied do not matter
 * here: the new grant inherits those rules (see {@link narrowedCommands}).
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

/** The first pattern that no pattern of the giver covers; a giver without a list covers all. */
function beyond(
  given: readonly string[] | undefined,
  wanted: readonly string[],
  covers: (outer: string, inner: string) => boolean,
): string | undefined {
  return given && wanted.find((pattern) => !given.some((own) => covers(own, pattern)));
}

/**
 * The command rules of the new grant: it allows what was requested, or what the giver may; it denies what either
 * denies.
 */
export function narrowedCommands(giver: CommandGlobs = {}, wanted: CommandGlobs = {}): CommandGlobs | undefined {
  const allow = wanted.allow ?? giver.allow;
  const deny = [...new Set([...(giver.deny ?? []), ...(wanted.deny ?? [])])];
  if (allow === undefined && deny.length === 0) return undefined;
  return { ...(allow === undefined ? {} : { allow }), ...(deny.length === 0 ? {} : { deny }) };
}
