import type { PathItem } from '../openapi.js';
import { inPath, type ResourceWriter } from './resource.js';
import { text } from './schemas.js';

const tag = 'service';

/** The service itself: what it is, how it does, and its documents. */
export function servicePaths(writer: ResourceWriter): Record<string, PathItem> {
  const document = (id: string, summary: string): PathItem => ({
    get: writer.operation({
      id,
      tag,
      summary,
      answers: {
        200: { description: 'The document', content: { 'application/json': { schema: { type: 'object' } } } },
      },
    }),
  });
  return {
    '/v1': {
      get: writer.operation({
        id: 'getApiRoot',
        tag,
        summary: 'Name, version and capabilities of this gateway',
        answers: { 200: { description: 'The gateway', content: writer.json('ApiRoot') } },
      }),
    },
    '/metrics': {
      get: writer.operation({
        id: 'getMetrics',
        tag,
        summary: 'Metrics for Prometheus',
        needs: 'level `read` on all VMs',
        answers: { 200: { description: 'Metrics', content: { 'text/plain': { schema: text } } } },
      }),
    },
    '/livez': {
      get: writer.operation({
        id: 'getLiveness',
        tag,
        summary: 'The process runs; taken with any `Host`',
        answers: { 200: { description: 'It does' } },
      }),
    },
    '/readyz': {
      get: writer.operation({
        id: 'getReadiness',
        tag,
        summary: 'Requests are taken, whatever the VMs do; with any `Host`',
        answers: { 200: { description: 'They are' } },
        problems: ['shutting-down'],
      }),
    },
    '/openapi.json': document('getOpenApi', 'This document'),
    '/asyncapi.json': document('getAsyncApi', 'AsyncAPI 3 of events and WebSockets'),
    '/docs': {
      get: writer.operation({
        id: 'getDocs',
        tag,
        summary: 'Swagger UI',
        answers: { 200: { description: 'A page', content: { 'text/html': { schema: text } } } },
      }),
    },
    '/problems/{code}': {
      parameters: [inPath('code', text, 'Code of a problem')],
      get: writer.operation({
        id: 'getProblem',
        tag,
        summary: 'What a problem means and what to do about it',
        answers: { 200: { description: 'A page', content: { 'text/html': { schema: text } } } },
        problems: ['route-not-found'],
      }),
    },
  };
}
