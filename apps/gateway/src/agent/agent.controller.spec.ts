import { describe, expect, it } from 'vitest';
import { shapeFaults } from '../http/resource/shape.js';
import { SchemaDocuments } from '../schemas/schema-documents.js';
import { SchemaStore } from '../schemas/schema-store.js';
import { GuestAgentShape } from './agent-shapes.js';
import { renderAgent } from './agent.controller.js';

const documents = new SchemaDocuments();
const render = (agent: Parameters<typeof renderAgent>[0]) =>
  JSON.parse(renderAgent(agent, documents)) as Record<string, unknown>;

describe('a guest agent as it is shown', () => {
  it('offers nothing before its first session', () => {
    const shown = render({ state: 'connecting', since: 0, epoch: null, schema: undefined });
    expect(shapeFaults(GuestAgentShape, shown)).toEqual([]);
    expect(shown).toEqual({
      ...{ state: 'connecting', since: '1970-01-01T00:00:00.000Z', epoch: null, version: null },
      ...{ schema: null, commands: [], events: [], types: {} },
    });
  });

  it('offers what it has enabled, as the schema of a VM says it', async () => {
    const origin = { kind: 'guest-agent', version: '7.2.0', package: '' } as const;
    const enabled = ['guest-exec', 'guest-info', 'guest-new'];
    const schema = await new SchemaStore(new Map(), []).fromEnabledCommands(origin, enabled, {
      mayBuildSchema: () => true,
    });
    const shown = render({ state: 'ready', since: 1, epoch: 'r.1', schema });
    expect(shapeFaults(GuestAgentShape, shown)).toEqual([]);
    expect(shown).toMatchObject({ version: '7.2.0', schema: schema.hash, events: [] });
    expect(shown['commands']).toMatchObject(enabled.map((name) => ({ name, deprecated: false })));
  });
});
