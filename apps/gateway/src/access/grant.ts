import { matchesGlob } from './glob.js';
import { reaches, type Grant } from './principal.js';

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
 * question here: what is given inherits those rules.
 */
export function excess(giver: Grant, wanted: Pick<Grant, 'level' | 'vms'>): string | undefined {
  if (!reaches(giver.level, wanted.level))
    return `level ${wanted.level} is above the maker's own, which is ${giver.level}`;
  const beyond = wanted.vms.find((pattern) => !giver.vms.some((own) => coversPattern(own, pattern)));
  if (beyond === undefined) return undefined;
  return `${JSON.stringify(beyond)} is outside the maker's own VMs, which are ${giver.vms.join(' ') || 'none'}`;
}
