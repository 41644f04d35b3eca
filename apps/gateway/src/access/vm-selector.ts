import { matchesAnyGlob } from './glob.js';
import type { VmIdentity } from './principal.js';
import type { Fault } from '../problems/problem.js';

/**
 * Selects VMs: `vm=glob` (any of them) and `label=key=value` (any value of one key, several keys all; values are
 * globs). An empty selector selects all VMs.
 */
export interface VmSelector {
  readonly vms: readonly string[];
  readonly labels: ReadonlyMap<string, readonly string[]>;
}

export const everyVm: VmSelector = { vms: [], labels: new Map() };

/** Largest number of entries in a selector: each is checked for each event. */
export const mostSelectorEntries = 1000;
/** A key of 63 characters and a value of 256. */
const longestLabelGlob = 320;
const vmGlob = /^[A-Za-z0-9._*-]{1,256}$/;

/**
 * Parses selectors, each of which may be a comma-separated list of VM globs.
 * @param pointerTo names the place of a fault: the parameter's pointer in the problem
 */
export function parseVmSelector(
  vms: readonly string[],
  labels: readonly string[],
  pointerTo: (parameter: 'vm' | 'label') => string = (parameter) => `/${parameter}`,
): { readonly selector: VmSelector; readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const globs = vms.flatMap((list) => list.split(','));
  for (const [parameter, { length }] of [
    ['vm', globs],
    ['label', labels],
  ] as const)
    if (length > mostSelectorEntries)
      return {
        selector: everyVm,
        faults: [{ pointer: pointerTo(parameter), message: `${length} entries; at most ${mostSelectorEntries}` }],
      };
  for (const glob of globs)
    if (!vmGlob.test(glob))
      faults.push({ pointer: pointerTo('vm'), message: `not a VM id or glob: ${JSON.stringify(glob.slice(0, 80))}` });
  const wanted = new Map<string, string[]>();
  for (const label of labels) {
    const equals = label.indexOf('=');
    if (equals < 1 || label.length > longestLabelGlob) {
      const shown = JSON.stringify(label.slice(0, 80));
      faults.push({
        pointer: pointerTo('label'),
        message: `a label selector is key=value, ${longestLabelGlob} characters at most, not ${shown}`,
      });
      continue;
    }
    const key = label.slice(0, equals);
    const values = wanted.get(key);
    if (values === undefined) wanted.set(key, [label.slice(equals + 1)]);
    else values.push(label.slice(equals + 1));
  }
  return { selector: { vms: globs, labels: wanted }, faults };
}

/** True if the selector is empty: every VM passes. */
export function selectsEverything(selector: VmSelector): boolean {
  return selector.vms.length === 0 && selector.labels.size === 0;
}

export function selectsVm(selector: VmSelector, vm: VmIdentity): boolean {
  if (selector.vms.length > 0 && !matchesAnyGlob(selector.vms, vm.id)) return false;
  for (const [key, values] of selector.labels) {
    const value = Object.hasOwn(vm.labels, key) ? vm.labels[key] : undefined;
    if (value === undefined || !matchesAnyGlob(values, value)) return false;
  }
  return true;
}
