import type { ServerResponse } from 'node:http';
import { readJson, type JsonNode } from '@qmp-gateway/qapi';
import { malformedJson } from '../problems/malformed-json.js';
import { asProblem, Problem } from '../problems/problem.js';
import type { Limits } from '../settings/settings.js';
import { writeProblem } from './answer.js';
import { readJsonBody } from './read-body.js';
import type { BodyRequest } from './request-context.js';
import type { RouteTable } from './route-table.js';

/** Bodies of the gateway's own resources, by the same rules as those of commands: typed, bounded, strict. */
export function strictJsonBody(limits: Pick<Limits, 'bodyBytes'>, routes: RouteTable) {
  return (request: BodyRequest, response: ServerResponse, next: () => void): void => {
    const { method = '', gateway } = request;
    if (routes.traits(method, gateway.path).streamsBody) {
      next();
      return;
    }
    if (method === 'GET' || method === 'HEAD') {
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
