import type { PathItem } from '../openapi.js';
import { inPath, query, type ResourceWriter } from './resource.js';
import { flag, text, vmId } from './schemas.js';

const tag = 'access';
const commandProblems = [
  ...['invalid-request', 'vm-not-found', 'route-not-found', 'command-not-found', 'vm-unavailable'],
] as const;
const ownTokens = 'a token of its own scope, or level `host`';

/** Who may do what. */
export function accessPaths(writer: ResourceWriter): Record<string, PathItem> {
  return {
    '/v1/access': {
      get: writer.operation({
        id: 'getAccess',
        tag,
        summary: 'What the caller may do, and why',
        needs: 'level `read`',
        description: 'Of a command: whether it may be run whatever its arguments, with none, or with some only.',
        parameters: [
          query('vm', vmId, 'With `command`: whether it may be run on this VM'),
          query('command', text, "A command's QAPI name"),
          query('agent', flag, "The command is the guest agent's"),
        ],
        answers: { 200: { description: 'Level and scope', content: writer.json('Access') } },
        problems: commandProblems,
      }),
      post: writer.operation({
        id: 'askAccess',
        tag,
        summary: 'Whether the caller may run a command with these arguments, and why',
        description: 'Nothing is sent. Whether the arguments fit the command is not asked: a dry run tells that.',
        needs: 'level `read`',
        body: { required: true, content: writer.json('AccessRequest') },
        answers: { 200: { description: 'Level and scope, and the decision', content: writer.json('Access') } },
        problems: [...commandProblems, 'malformed-json', 'body-too-large', 'unsupported-media-type'],
      }),
    },
    '/v1/session': {
      post: writer.operation({
        id: 'createSession',
        tag,
        summary: 'A cookie for readers that can not send a header',
        description: 'Honoured only on GET of event streams and pictures, and for 12 hours at most.',
        needs: 'level `read`',
        answers: {
          204: {
            description: 'Cookie set',
            headers: { 'Set-Cookie': { description: '`qmpgw_session=…`', schema: text } },
          },
        },
      }),
    },
    '/v1/tokens': {
      get: writer.operation({
        id: 'listTokens',
        tag,
        summary: 'Tokens, without their secrets',
        needs: 'level `host`; others see their own',
        answers: { 200: { description: 'Tokens', content: writer.json('TokenList') } },
      }),
      post: writer.operation({
        id: 'createToken',
        tag,
        summary: 'Make a token',
        description: "Never above the caller's own level, scope or expiry.",
        needs: ownTokens,
        body: { required: true, content: writer.json('TokenRequest') },
        answers: { 201: { description: 'The token, shown this once', content: writer.json('NewToken') } },
        problems: ['malformed-json', 'invalid-request', 'body-too-large', 'unsupported-media-type'],
      }),
    },
    '/v1/tokens/{id}': {
      parameters: [inPath('id', { type: 'string', pattern: '^[a-z0-9]+$' }, 'Id of the token')],
      delete: writer.operation({
        id: 'revokeToken',
        tag,
        summary: 'Revoke a token',
        needs: ownTokens,
        answers: { 204: { description: 'Revoked' } },
        problems: ['route-not-found'],
      }),
    },
  };
}
