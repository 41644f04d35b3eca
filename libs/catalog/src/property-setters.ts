/**
 * Commands that set a property of an object by the object's path, in QMP (`path`) and in the human monitor (its first
 * word after the flags).
 */
export const propertySetters: ReadonlySet<string> = new Set(['qom-set']);

/** Types of the objects that connect a client. */
const connectionType = /^(?:monitor|chardev)(?:-|$)/;

/** Setting properties of such an object may end a connection: QEMU 11.1 has `close-action` and `pretty`. */
export function isConnectionType(type: string): boolean {
  return connectionType.test(type);
}
