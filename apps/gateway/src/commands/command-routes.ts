import {
  accepted,
  answerHeaders,
  anyAnswer,
  controlReferences,
  headerReferences,
  postAnswerHeaders,
  postControls,
} from '@qmp-gateway/qapi-openapi';
import { VmSelection } from '../access/vm-selection.js';
import { anything, anyObject, constant, either, named, text, wholeNumber } from '../http/resource/field-type.js';
import { json, type Additions, type ResourceDeclaration } from '../http/resource/resource.js';
import type { ResourceRoute } from '../http/resource/resource-routes.js';
import { Optional, Required, Shape, shape } from '../http/resource/shape.js';
import { cursorType, vmIdType } from '../vms/vm-shapes.js';
import { problemsOfCommands } from './command-problems.js';

@Shape('QmpInBandMessage', { closed: true })
class InBandMessage {
  @Required(text())
  execute!: string;

  @Optional(anyObject())
  arguments?: Readonly<Record<string, unknown>>;

  @Optional(anything())
  id?: unknown;
}

@Shape('QmpOutOfBandMessage', { closed: true })
class OutOfBandMessage {
  @Required(text())
  'exec-oob'!: string;

  @Optional(anyObject())
  arguments?: Readonly<Record<string, unknown>>;

  @Optional(anything())
  id?: unknown;
}

const qmpMessage = named(
  'QmpMessage',
  'A QMP command as the wire has it; `id` is accepted and ignored',
  either<object>([shape(() => InBandMessage), shape(() => OutOfBandMessage)]),
);

class AnswerOfVm {
  @Required(vmIdType)
  vm!: string;

  @Required(constant(200))
  status!: 200;

  @Optional(cursorType)
  cursor?: unknown;

  @Required(anything())
  return!: unknown;
}

class ProblemOfVm {
  @Required(vmIdType)
  vm!: string;

  @Required(wholeNumber({ least: 400, most: 599 }))
  status!: number;

  @Required(anything({ $ref: '#/components/schemas/Problem' }))
  problem!: unknown;
}

class EndOfFanOut {
  @Required(constant(true))
  end!: true;

  @Required(wholeNumber())
  selected!: number;

  @Required(wholeNumber())
  ok!: number;

  @Required(wholeNumber())
  failed!: number;
}

const fanOutLine = named(
  'FanOutLine',
  'An answer of one VM, or the end of all answers',
  either<object>([shape(() => AnswerOfVm), shape(() => ProblemOfVm), shape(() => EndOfFanOut)]),
);

const tag = { name: 'commands', description: 'Commands in other forms' };
const byClass = 'the level of the command';
const controls: Additions = { parameters: controlReferences(postControls), problems: problemsOfCommands };
/** Those of a command for many VMs: a session is of one VM, and nobody waits for the work of all. */
export const fanOutControls: Additions = {
  query: VmSelection,
  parameters: controlReferences(postControls.filter((name) => name !== 'VmEpochHeader' && name !== 'PreferHeader')),
};

const message: Pick<ResourceDeclaration, 'needs' | 'body' | 'answers'> = {
  needs: byClass,
  body: { content: qmpMessage },
  answers: {
    200: json(
      'What the command returns, byte for byte as its server wrote it; of a dry run, what would be sent',
      anything(anyAnswer),
      {
        headers: headerReferences([...Object.keys(answerHeaders), ...Object.keys(postAnswerHeaders)]),
      },
    ),
    202: accepted,
  },
};

/**
 * The routes of the command lane that are one resource for all commands; the endpoints of single commands are generated
 * from a model. They are no handlers: the lane takes them before any router.
 */
export const commandRoutes: readonly ResourceRoute[] = [
  {
    method: 'POST',
    path: '/v1/vms/:vm/qmp',
    tag,
    declaration: { ...message, id: 'runQmpMessage', summary: 'Run a command given as a QMP message' },
    additions: [controls],
  },
  {
    method: 'POST',
    path: '/v1/vms/:vm/agent',
    tag: { name: 'agent', description: 'The guest agent of a VM: programs and files of the guest' },
    declaration: {
      ...message,
      id: 'runAgentMessage',
      summary: 'Run a command of the guest agent given as a QMP message',
      problems: ['route-not-found'],
    },
    additions: [controls],
  },
  {
    method: 'POST',
    path: '/v1/qmp/:command',
    tag,
    declaration: {
      id: 'fanOut',
      summary: 'Run a command on every selected VM',
      description: 'A line for each VM as it answers; without the last one, `end`, the answer was cut.',
      needs: `${byClass} on each VM`,
      path: { command: { type: text(), what: "The command's QAPI name" } },
      body: { required: false, what: 'The arguments of the command', content: anyObject() },
      answers: {
        200: {
          what: 'The fan-out ran; whether the command was done stands in each line',
          content: { 'application/x-ndjson': fanOutLine },
        },
      },
      problems: ['vm-not-found', 'audit-unavailable'],
    },
    additions: [fanOutControls],
  },
];
