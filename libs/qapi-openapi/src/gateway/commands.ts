import { accepted, answerHeaders, headerReferences, postAnswerHeaders } from '../answer-headers.js';
import type { PathItem, RequestBody } from '../openapi.js';
import { controlReferences, postControls } from '../parameters.js';
import { commandProblems, type ProblemRow } from '../problems.js';
import { inPath, selectLabel, selectVm, vmParameter, type ResourceWriter } from './resource.js';
import { text } from './schemas.js';

const tag = 'commands';
const byClass = 'the level of the command';

/** Commands in other forms than an endpoint each. */
export function commandPaths(writer: ResourceWriter, rows: readonly ProblemRow[]): Record<string, PathItem> {
  const anyArguments: RequestBody = {
    required: false,
    description: 'The arguments of the command',
    content: { 'application/json': { schema: { type: 'object' } } },
  };
  const problems = commandProblems(rows).map((row) => row.code);
  return {
    '/v1/vms/{vm}/qmp': {
      parameters: [vmParameter],
      post: writer.operation({
        id: 'runQmpMessage',
        tag,
        summary: 'Run a command given as a QMP message',
        needs: byClass,
        parameters: controlReferences(postControls),
        body: { required: true, content: writer.json('QmpMessage') },
        answers: {
          200: {
            description: 'What the command returns, byte for byte as the VM wrote it',
            headers: headerReferences([...Object.keys(answerHeaders), ...Object.keys(postAnswerHeaders)]),
            content: { 'application/json': { schema: {} } },
          },
          202: accepted,
        },
        problems,
      }),
    },
    '/v1/qmp/{command}': {
      parameters: [inPath('command', text, "The command's QAPI name")],
      post: writer.operation({
        id: 'fanOut',
        tag,
        summary: 'Run a command on every selected VM',
        description: 'A line for each VM as it answers; without the last one, `end`, the answer was cut.',
        needs: `${byClass} on each VM`,
        parameters: [
          selectVm,
          selectLabel,
          ...controlReferences(postControls.filter((name) => name !== 'VmEpoch' && name !== 'Prefer')),
        ],
        body: anyArguments,
        answers: {
          200: {
            description: 'The fan-out ran; whether the command was done stands in each line',
            content: { 'application/x-ndjson': { schema: writer.schema('FanOutLine') } },
          },
        },
        problems: [
          'malformed-json',
          'invalid-request',
          'vm-not-found',
          'command-not-found',
          'body-too-large',
          'unsupported-media-type',
        ],
      }),
    },
  };
}
