/**
 * Commands that set a property of an object by the object's path, in QMP (`path`) and in the human monitor (its first
 * word after the flags).
 */
export const propertySetters: ReadonlySet<string> = new Set(['qom-set']);

/** Types of the objects a client is connected by. */
const connectionType = /^(?:monitor|chardev)(?:-|$)/;

/** Whoever sets properties of such an object may end a connection: QEMU 11.1 lets `close-action` and `pretty` be set. */
export function isConnectionType(type: string): boolean {
  return connectionType.test(type);
}
