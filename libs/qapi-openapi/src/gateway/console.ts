import { answerHeaders, headerReferences, severalCommandsHeaders } from '../answer-headers.js';
import type { PathItem } from '../openapi.js';
import { controlReferences, resourceControls } from '../parameters.js';
import { commandProblems, type ProblemRow } from '../problems.js';
import type { JsonSchema } from '../schema-keywords.js';
import { query, vmParameter, type ResourceWriter } from './resource.js';
import { closedRecord, count, duration, text, textList } from './schemas.js';

const tag = 'console';

/** What a person in front of the VM has: its screen and its keyboard. */
export function consolePaths(writer: ResourceWriter, rows: readonly ProblemRow[]): Record<string, PathItem> {
  const problems = commandProblems(rows).map(({ code }) => code);
  return {
    '/v1/vms/{vm}/screen.png': {
      parameters: [vmParameter],
      get: writer.operation({
        id: 'getScreen',
        tag,
        summary: 'What a VM of this host shows, as PNG',
        needs: 'level `read`',
        cookie: true,
        parameters: [
          query('device', text, 'Id of a display device; default the first display'),
          query('head', count, 'Head of a device with several'),
          ...controlReferences(resourceControls),
        ],
        answers: {
          200: {
            description: 'The picture',
            headers: headerReferences(severalCommandsHeaders),
            content: { 'image/png': { schema: {} } },
          },
        },
        problems: [...problems, 'no-display'],
      }),
    },
    '/v1/vms/{vm}/keys': {
      parameters: [vmParameter],
      post: writer.operation({
        id: 'sendKeys',
        tag,
        summary: 'Type a text or press keys (`send-key`)',
        description:
          'Answers when the last key was let go. One request types at a time on a VM, the next waits. All is typed within ' +
          'a minute, or within `Request-Timeout`; a problem says how much was typed before it.',
        needs: 'level `operate`',
        parameters: controlReferences(resourceControls),
        body: { required: true, content: writer.json('Keys') },
        answers: { 204: { description: 'Typed', headers: headerReferences(Object.keys(answerHeaders)) } },
        problems: [...problems, 'vm-not-running'],
      }),
    },
  };
}

/** Component schemas of screen and keyboard. */
export function consoleSchemas(): Record<string, JsonSchema> {
  const hold = {
    ...duration,
    description: 'Pause after each press and each release; default 20ms, in all 50 s at most',
  };
  return {
    Keys: {
      oneOf: [
        closedRecord(
          { text: { ...text, maxLength: 1000, description: 'Typed on a keyboard of the US layout' }, hold },
          ['hold'],
        ),
        closedRecord({ keys: { ...textList, description: 'Pressed together; names of QKeyCode' }, hold }, ['hold']),
      ],
      examples: [{ text: 'root\n' }, { keys: ['ctrl', 'alt', 'delete'] }],
    },
  };
}
