import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import type { AuthenticatedContext } from '../access/authenticated-request.js';
import { Caller } from '../access/caller.js';
import { apiHeaders } from '../http/answer.js';
import { JsonAnswer } from '../http/json-answer.js';
import { publicAnswers } from '../http/public-document.js';
import { anyObject } from '../http/resource/field-type.js';
import { json, QueryOf, Resource } from '../http/resource/resource.js';
import { shape } from '../http/resource/shape.js';
import { sendTagged } from '../http/tagged-document.js';
import { FlavourQuery } from '../schemas/document-flavour.js';
import { SchemaDocuments } from '../schemas/schema-documents.js';
import { unavailable } from '../vms/unavailable.js';
import type { VmAgent } from '../vms/vm-agent.js';
import type { VmSchemaShape } from '../vms/vm-shapes.js';
import { GuestAgentShape } from './agent-shapes.js';
import { AgentTag } from './agent-tag.js';
import { AgentOfPath } from './request-for-agent.js';

type Head = Omit<GuestAgentShape, keyof VmSchemaShape>;
type Offered = Omit<GuestAgentShape, keyof Head>;

const nothingKnown: Offered = { schema: null, commands: [], events: [], types: {} };

/** What the guest agent of a VM is and offers, from memory: it is not asked. */
@AgentTag
@Controller('v1/vms/:vm/agent')
export class AgentController {
  constructor(@Inject(SchemaDocuments) private readonly documents: SchemaDocuments) {}

  @Get()
  @Resource({
    id: 'getAgent',
    summary: 'The guest agent of a VM: its state, and the commands it has enabled',
    needs: 'level `read`',
    answers: {
      200: json(
        'The agent; not asked anew',
        shape(() => GuestAgentShape),
      ),
    },
  })
  agent(@AgentOfPath() agent: VmAgent): JsonAnswer {
    return new JsonAnswer(renderAgent(agent, this.documents));
  }

  @Get('openapi.json')
  @Resource({
    id: 'getAgentOpenApi',
    summary: 'OpenAPI of exactly this guest agent',
    needs: 'level `read`',
    answers: publicAnswers(json('The document', anyObject())),
    problems: ['vm-unavailable'],
  })
  openapi(
    @Caller() { principal }: AuthenticatedContext,
    @AgentOfPath() agent: VmAgent,
    @QueryOf(FlavourQuery) { flavour }: FlavourQuery,
    @Res() response: ServerResponse,
  ): Promise<void> {
    if (agent.schema === undefined) throw unavailable(agent, principal, { vm: agent.id });
    return sendTagged(response.req, response, this.documents.openapi(agent.schema, agent.id, flavour), apiHeaders);
  }
}

/** As JSON; what it offers is the document of its schema. */
export function renderAgent(
  { state, since, epoch, schema }: Pick<VmAgent, 'state' | 'since' | 'epoch' | 'schema'>,
  documents: SchemaDocuments,
): string {
  const version = schema?.origin.version ?? null;
  const head: Head = { state, since: new Date(since).toISOString(), epoch, version };
  const offered = schema === undefined ? JSON.stringify(nothingKnown) : String(documents.schema(schema).plain());
  return `${JSON.stringify(head).slice(0, -1)},${offered.slice(1)}`;
}
