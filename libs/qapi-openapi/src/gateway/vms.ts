import type { PathItem } from '../openapi.js';
import { query, selectLabel, selectVm, vmParameter, type ResourceWriter } from './resource.js';
import { duration } from './schemas.js';

const tag = 'vms';
const manage = "level `host`, or `configure` within the principal's endpoint globs";

/** Which VMs there are, and what each can do. */
export function vmPaths(writer: ResourceWriter): Record<string, PathItem> {
  return {
    '/v1/vms': {
      get: writer.operation({
        id: 'listVms',
        tag,
        summary: 'The selected VMs at one moment',
        description: 'Follow events from `cursor`, replacing rows, to stay current.',
        needs: 'level `read`',
        parameters: [selectVm, selectLabel],
        answers: { 200: { description: 'From memory: no VM is asked', content: writer.json('VmList') } },
        problems: ['invalid-request'],
      }),
    },
    '/v1/vms/{vm}': {
      parameters: [vmParameter],
      get: writer.operation({
        id: 'getVm',
        tag,
        summary: 'One VM',
        needs: 'level `read`',
        parameters: [query('wait', duration, 'Answer when the VM is `ready`, or after this time with what is')],
        answers: { 200: { description: 'The VM', content: writer.json('Vm') } },
        problems: ['invalid-request', 'vm-not-found'],
      }),
      put: writer.operation({
        id: 'putVm',
        tag,
        summary: 'Register a VM or replace its registration',
        description: 'New labels keep the session with the VM, a new endpoint starts one.',
        needs: manage,
        parameters: [
          {
            name: 'If-None-Match',
            in: 'header',
            description: '`*`: create only',
            schema: { type: 'string', enum: ['*'] },
          },
        ],
        body: { required: true, content: writer.json('VmRegistration') },
        answers: {
          200: { description: 'Replaced', content: writer.json('Vm') },
          201: { description: 'Created', content: writer.json('Vm') },
        },
        problems: [
          'malformed-json',
          'invalid-request',
          'vm-not-found',
          'vm-exists',
          'vm-managed',
          'body-too-large',
          'unsupported-media-type',
        ],
      }),
      delete: writer.operation({
        id: 'deleteVm',
        tag,
        summary: 'Forget a VM; the VM itself is not touched',
        needs: manage,
        answers: { 204: { description: 'Forgotten' } },
        problems: ['vm-not-found', 'vm-managed'],
      }),
    },
    '/v1/vms/{vm}/schema': {
      parameters: [vmParameter],
      get: writer.operation({
        id: 'getVmSchema',
        tag,
        summary: 'Commands, events and types of this VM',
        needs: 'level `read`',
        answers: { 200: { description: 'The schema', content: writer.json('VmSchema') } },
        problems: ['vm-not-found', 'vm-unavailable'],
      }),
    },
    '/v1/vms/{vm}/openapi.json': {
      parameters: [vmParameter],
      get: writer.operation({
        id: 'getVmOpenApi',
        tag,
        summary: 'OpenAPI 3.1 of exactly this VM',
        needs: 'level `read`',
        answers: {
          200: {
            description: 'The document',
            headers: { ETag: { description: 'Hash of the document', schema: { type: 'string' } } },
            content: { 'application/json': { schema: { type: 'object' } } },
          },
          304: { description: 'Not changed' },
        },
        problems: ['vm-not-found', 'vm-unavailable'],
      }),
    },
  };
}
