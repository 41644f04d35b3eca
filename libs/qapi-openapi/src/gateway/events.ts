import type { Parameter, PathItem, Response } from '../openapi.js';
import {
  query,
  repeatable,
  selectLabel,
  selectVm,
  vmParameter,
  type Resource,
  type ResourceWriter,
} from './resource.js';
import { count, cursor, duration, flag } from './schemas.js';

const tag = 'events';

const streamParameters: readonly Parameter[] = [
  repeatable('event', 'Names of events, as globs or comma lists'),
  query('after', cursor, 'Only what comes after this position; `oldest`: all that is kept'),
  query('limit', { ...count, default: 1000 }, 'At most this many events (JSON)'),
  query('wait', duration, 'Wait this long for a first event (JSON), 120 s at most'),
  query('bookmarks', flag, 'Tell the position at once and every 15 s (NDJSON)'),
  query('coalesce', duration, 'Of equal events of a VM within this time, send only the newest'),
  {
    name: 'Last-Event-ID',
    in: 'header',
    description: 'As `after`, which it beats; EventSource sends it by itself',
    schema: cursor,
  },
];

function upgrade(description: string): Response {
  return { description };
}

/** Events as they happen, and the two WebSocket resources. */
export function eventPaths(writer: ResourceWriter): Record<string, PathItem> {
  const stream: Omit<Resource, 'id' | 'summary' | 'problems'> = {
    tag,
    description: 'By `Accept`: SSE or NDJSON streams, or JSON of what is kept.',
    needs: 'level `read`',
    cookie: true,
    answers: {
      200: {
        description: 'Events in order; a gap is told as an event `gap`',
        content: {
          ...writer.json('EventPage'),
          'text/event-stream': { schema: writer.schema('StreamEvent') },
          'application/x-ndjson': { schema: writer.schema('StreamEvent') },
        },
      },
    },
  };
  return {
    '/v1/events': {
      get: writer.operation({
        ...stream,
        id: 'getEvents',
        summary: 'Events of the selected VMs',
        parameters: [selectVm, selectLabel, ...streamParameters],
        problems: ['invalid-request', 'cursor-expired'],
      }),
    },
    '/v1/vms/{vm}/events': {
      parameters: [vmParameter],
      get: writer.operation({
        ...stream,
        id: 'getVmEvents',
        summary: 'Events of one VM',
        parameters: streamParameters,
        problems: ['invalid-request', 'vm-not-found', 'cursor-expired'],
      }),
    },
    '/v1/ws': {
      get: writer.operation({
        id: 'openWebSocket',
        tag,
        summary: 'JSON-RPC 2.0 over WebSocket (see asyncapi.json)',
        needs: 'level `read`',
        answers: { 101: upgrade('Sub-protocol `qmp-gateway.v1`') },
        problems: ['invalid-request', 'upgrade-required'],
      }),
    },
    '/v1/vms/{vm}/monitor': {
      parameters: [vmParameter],
      get: writer.operation({
        id: 'openMonitor',
        tag,
        summary: 'The shared monitor: native QMP over WebSocket',
        needs: 'level `read`; each command needs its own',
        answers: { 101: upgrade('Sub-protocol `qmp`, or none') },
        problems: ['invalid-request', 'vm-not-found', 'upgrade-required'],
      }),
    },
  };
}
