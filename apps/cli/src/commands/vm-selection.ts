import { usageFault } from '../exit-status.js';

/** Which VMs a command is for. */
export interface SelectedVms {
  /** Globs; undefined: all. */
  readonly vm: readonly string[] | undefined;
  readonly label: Readonly<Record<string, string>>;
}

/** `a`, `web-*`, `a,b`: undefined stands for all. */
export function readVms(text: string | undefined): readonly string[] | undefined {
  const globs = text?.split(',').filter((part) => part !== '');
  return globs === undefined || globs.length === 0 ? undefined : globs;
}

/** Whether a text means several VMs rather than one: ids have none of these characters. */
export function meansSeveral(text: string): boolean {
  return /[*?[\],]/.test(text);
}

/** `key=value`, each. @throws CliFault */
export function readLabels(labels: readonly string[] | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (labels ?? []).map((label) => {
      const at = label.indexOf('=');
      if (at < 1) throw usageFault(`-l ${label} is no label`, 'write -l key=value');
      return [label.slice(0, at), label.slice(at + 1)];
    }),
  );
}
