import type { ServerResponse } from 'node:http';
import { readJson, type JsonNode } from '@qmp-gateway/qapi';
import { malformedJson } from '../commands/command-path.js';
import { asProblem, Problem } from '../problems/problem.js';
import type { Limits } from '../settings/settings.js';
import { writeProblem } from './answer.js';
import { readJsonBody } from './read-body.js';
import type { GatewayRequest } from './request-context.js';
import { hasStreamedBody } from './streamed-body.js';

/** A request as controllers get it: `body` is there when it had one, `bodyText` as it was sent. */
export type BodyRequest = GatewayRequest & { body?: unknown; bodyText?: string };

/** Bodies of the gateway's own resources, by the same rules as those of commands: typed, bounded, strict. */
export function strictJsonBody(limits: Pick<Limits, 'bodyBytes'>) {
  return (request: BodyRequest, response: ServerResponse, next: () => void): void => {
    if (hasStreamedBody(request.method, request.gateway.path)) {
      next();
      return;
    }
    if (request.method === 'GET' || request.method === 'HEAD') {
      request.resume();
      next();
      return;
    }
    readJsonBody(request, limits.bodyBytes, (body) => {
      if (body === undefined) {
        next();
        return;
      }
      try {
        if (body instanceof Problem) throw body;
        const document = readJson(body);
        request.bodyText = document.text;
        request.body = valueOf(document.root, document.text);
      } catch (error) {
        request.resume();
        writeProblem(response, asProblem(malformedJson(error)), request.gateway);
        return;
      }
      next();
    });
  };
}

/** Plain values of a document; objects have no prototype, so that `__proto__` is a key like any other. */
function valueOf(node: JsonNode, text: string): unknown {
  switch (node.kind) {
    case 'object': {
      const object = Object.create(null) as Record<string, unknown>;
      for (const { name, value } of node.members) object[name] = valueOf(value, text);
      return object;
    }
    case 'array':
      return node.items.map((item) => valueOf(item, text));
    case 'string':
      return node.value;
    default:
      return JSON.parse(text.slice(node.start, node.end));
  }
}
