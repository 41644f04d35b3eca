import type { PathItem } from '../openapi.js';
import { inPath, query, selectLabel, selectVm, vmParameter, type ResourceWriter } from './resource.js';
import { count, duration, operationState, text } from './schemas.js';

const tag = 'operations';
const needs = 'level `read`; level `host` sees those of others';

/** What became of commands, and of the work that goes on after their reply. */
export function operationPaths(writer: ResourceWriter): Record<string, PathItem> {
  return {
    '/v1/operations': {
      get: writer.operation({
        id: 'listAllOperations',
        tag,
        summary: "The caller's operations on all selected VMs, the newest first",
        description: 'List, then follow `operation` events from `cursor`.',
        needs,
        parameters: [
          selectVm,
          selectLabel,
          query('state', operationState, 'Only those in this state'),
          query('limit', { ...count, minimum: 1, maximum: 10_000, default: 1000 }, 'At most this many'),
        ],
        answers: { 200: { description: 'Operations', content: writer.json('CommandOperationPage') } },
        problems: ['invalid-request'],
      }),
    },
    '/v1/vms/{vm}/operations': {
      parameters: [vmParameter],
      get: writer.operation({
        id: 'listOperations',
        tag,
        summary: "The caller's operations on this VM, the newest first",
        description:
          'Outcomes of commands are kept for ten minutes, the work of those that go on after their reply for a day.',
        needs,
        answers: { 200: { description: 'Operations', content: writer.json('CommandOperationList') } },
        problems: ['vm-not-found', 'invalid-request'],
      }),
    },
    '/v1/vms/{vm}/operations/{id}': {
      parameters: [vmParameter, inPath('id', text, 'The `QMP-Operation` of an answer')],
      get: writer.operation({
        id: 'getOperation',
        tag,
        summary: 'What became of a command and its work',
        needs,
        parameters: [
          query('wait', duration, 'Answers when it has ended, or after this long with what is: 10 min at most'),
        ],
        answers: { 200: { description: 'The operation', content: writer.json('CommandOperation') } },
        problems: ['vm-not-found', 'operation-not-found', 'invalid-request'],
      }),
      delete: writer.operation({
        id: 'cancelOperation',
        tag,
        summary: 'Ask the VM to give up what goes on',
        description:
          'Runs `job-cancel`, `block-job-cancel` or `migrate_cancel` as a command of the caller; what QMP cannot cancel, or has ended, is answered 405.',
        needs: 'the level of the command that cancels',
        answers: {
          200: { description: 'The operation, which has ended', content: writer.json('CommandOperation') },
          202: { description: 'The operation, which is about to end', content: writer.json('CommandOperation') },
        },
        problems: [
          ...['vm-not-found', 'operation-not-found', 'method-not-allowed', 'command-not-found', 'invalid-request'],
          ...['command-failed', 'device-not-active', 'device-not-found', 'queue-full', 'vm-unavailable'],
          ...['deadline-exceeded', 'outcome-unknown', 'audit-unavailable'],
        ],
      }),
    },
  };
}
