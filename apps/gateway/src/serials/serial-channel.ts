import { nearestNames } from '@qmp-gateway/qapi';
import type { JsonSchema } from '@qmp-gateway/qapi-openapi';
import { didYouMean, Problem } from '../problems/problem.js';
import type { VmSerials } from './vm-serials.js';

/** The sub-protocol of a serial line's stream. */
export const serialSubprotocol = 'qmp-gateway.serial.v1';

/** Why there is no line with this id. */
export function serialProblem(vm: string, id: string, serials: VmSerials | undefined): Problem {
  const about = { vm, outcome: 'not-sent' } as const;
  if (serials?.isKnown === false) {
    const { ready, condition } = serials.vm;
    return new Problem('vm-unavailable', ready ? 'The VM has not told its serial lines.' : condition, about);
  }
  const ids = [...(serials?.all() ?? [])].map((line) => line.id);
  const nearest = nearestNames(id, ids);
  const suggestions = nearest.length > 0 ? nearest : ids;
  const reason = serials?.reason ?? didYouMean(suggestions).trim();
  const detail = `The VM has no serial line ${JSON.stringify(id.slice(0, 128))}. ${reason}`.trim();
  return new Problem('device-not-found', detail, { ...about, suggestions });
}

/** Text frames of the gateway, for documents. */
export const serialNews: JsonSchema = {
  type: 'object',
  properties: {
    position: { type: 'string', description: 'Where the output begins; in the first message alone' },
    types: { type: 'boolean', description: 'Whether this connection may type; in the first message alone' },
    typist: { type: ['string', 'null'], description: 'Who types; null while nobody does' },
    you: { type: 'boolean', description: 'This connection is the typist' },
    gap: { type: ['integer', 'null'], description: 'So many bytes are missing here; null: nobody knows how many' },
    refused: { type: 'string', description: 'Why what the client asked for was not done' },
  },
};

/** Text frames of a client, for documents: one member each. */
export const serialWish: JsonSchema = {
  type: 'object',
  properties: {
    take: { const: true, description: 'To type in place of whoever types now' },
    break: { const: true, description: 'To send a break (`chardev-send-break`)' },
  },
};
