/**
 * What a command may touch; also the levels of principals, each containing the ones before it.
 *
 * - `read`: no change of state.
 * - `operate`: changes the running VM, nothing on the host.
 * - `configure`: devices, block graph, migration set-up.
 * - `host`: can read or write host files, open host sockets, execute, or leak host memory.
 */
export type CommandClass = 'read' | 'operate' | 'configure' | 'host';

/** The classes, from harmless to dangerous. */
export const classOrder: readonly CommandClass[] = ['read', 'operate', 'configure', 'host'];

/** Negative if `a` is the lower class, 0 if they are the same, positive if it is the higher one. */
export function compareClasses(a: CommandClass, b: CommandClass): number {
  return classOrder.indexOf(a) - classOrder.indexOf(b);
}

/** True if the text is one of the four class names. */
export function isCommandClass(text: string): text is CommandClass {
  return (classOrder as readonly string[]).includes(text);
}
