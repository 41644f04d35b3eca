import { asObject, parsedJson } from '@qmp-gateway/qmp';
import type { EventRecord } from './event-record.js';

/** Members that say which part of a VM an event is about; an event never stands for one about another part. */
const keyMembers = ['device', 'id', 'node-name', 'qom-path', 'path'] as const;

/** Events with the same key are about the same thing: only the newest matters to a client that asked for `coalesce`. */
export function coalescingKey(event: EventRecord): string {
  const data = keyMembers.some((member) => event.data.includes(`"${member}"`))
    ? asObject(parsedJson(event.data))
    : undefined;
  const thing =
    data === undefined ? [] : keyMembers.map((member) => (Object.hasOwn(data, member) ? data[member] : null));
  // It is not known what an event that was not kept was about.
  const alone = event.leftOut === true || event.missed !== undefined ? event.n : null;
  return JSON.stringify([event.vm, event.source.epoch, event.name, alone, ...thing]);
}
