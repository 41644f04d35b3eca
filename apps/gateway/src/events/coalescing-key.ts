import type { EventRecord } from './event-record.js';

/** Members that say what thing of a VM an event is about; of different things no event may stand for another. */
const keyMembers = ['device', 'id', 'node-name', 'qom-path', 'path'] as const;

/** Events of the same key are news of the same thing: only the newest matters to who asked for `coalesce`. */
export function coalescingKey(event: EventRecord): string {
  const data: unknown = keyMembers.some((member) => event.data.includes(`"${member}"`))
    ? parsed(event.data)
    : undefined;
  const thing =
    typeof data === 'object' && data !== null
      ? keyMembers.map((member) => (Object.hasOwn(data, member) ? (data as Record<string, unknown>)[member] : null))
      : [];
  return JSON.stringify([event.vm, event.source.epoch, event.name, ...thing]);
}

/** Undefined for what is no JSON: QEMU can write `inf`. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
