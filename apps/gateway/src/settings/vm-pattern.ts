/** A VM id, or a glob of them. */
export const idGlob = /^[A-Za-z0-9._*-]{1,256}$/;

export const labelGlob = /^label:[A-Za-z0-9][A-Za-z0-9._/-]{0,62}=.{0,256}$/su;

/** True for an entry of a grant's `vms`: an id glob, or `label:key=glob`. */
export function isVmPattern(pattern: string): boolean {
  return idGlob.test(pattern) || labelGlob.test(pattern);
}
