import { asObject, parsedJson } from '@qmp-gateway/qmp';
import type { EventRecord } from './event-record.js';

/** Members that say what thing of a VM an event is about; of different things no event may stand for another. */
const keyMembers = ['device', 'id', 'node-name', 'qom-path', 'path'] as const;

/** Events of the same key are news of the same thing: only the newest matters to who asked for `coalesce`. */
export function coalescingKey(event: EventRecord): string {
  const data = keyMembers.some((member) => event.data.includes(`"${member}"`))
    ? asObject(parsedJson(event.data))
    : undefined;
  const thing =
    data === undefined ? [] : keyMembers.map((member) => (Object.hasOwn(data, member) ? data[member] : null));
  // Of what is not kept nobody knows what it was about.
  const alone = event.leftOut === true || event.missed !== undefined ? event.n : null;
  return JSON.stringify([event.vm, event.source.epoch, event.name, alone, ...thing]);
}
