/** Page of a command of a VM, within the console. */
export function commandAddress(vm: string, command: string): string {
  return `/vms/${encodeURIComponent(vm)}/commands/${encodeURIComponent(command)}`;
}
