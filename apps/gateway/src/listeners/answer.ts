import type { ServerResponse } from 'node:http';
import type { CommandTrace } from '../commands/command-request.js';
import { problemBody, type Problem } from '../problems/problem.js';
import { milliseconds } from './milliseconds.js';
import { writeInOnePiece } from './one-piece-answer.js';
import type { RequestContext } from './request-context.js';

/** Headers of every answer that carries data of VMs or of the gateway. */
export const apiHeaders: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
};

/** Writes an `application/problem+json` answer. Does nothing when the client is gone or an answer is under way. */
export function writeProblem(
  response: ServerResponse,
  problem: Problem,
  context: RequestContext,
  trace?: CommandTrace,
): void {
  if (response.headersSent || response.destroyed) return;
  const body = JSON.stringify(problemBody(problem));
  const headers = ['Content-Type', 'application/problem+json', 'Content-Length', String(Buffer.byteLength(body))];
  for (const [name, value] of Object.entries({ ...apiHeaders, ...context.answerHeaders, ...problem.headers }))
    headers.push(name, value);
  headers.push('X-Request-Id', context.requestId);
  if (trace !== undefined) addTrace(headers, trace);
  // What Nest's side has set already is in the list as well.
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  response.writeHead(problem.status, headers);
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

/** Writes a successful command answer: the bare value, and what the headers of section 5 tell. */
export function writeValue(
  response: ServerResponse,
  json: Buffer | string,
  context: RequestContext,
  trace: CommandTrace,
): void {
  if (response.destroyed) return;
  const length = typeof json === 'string' ? Buffer.byteLength(json) : json.length;
  // A flat list: this runs for every command, and an object would be built only to be taken apart again.
  const headers = ['Content-Type', 'application/json', 'Content-Length', String(length), 'Cache-Control', 'no-store'];
  headers.push('X-Content-Type-Options', 'nosniff', 'X-Request-Id', context.requestId);
  addTrace(headers, trace);
  for (const name in context.answerHeaders) headers.push(name, context.answerHeaders[name] ?? '');
  const status = trace.location === undefined ? 200 : 202;
  if (writeInOnePiece(response, status, headers, json, length)) return;
  context.replies.count(response, length);
  response.writeHead(status, headers);
  response.write(json);
  // After the tick in which Node hands over what was written: an `end` with data would make one more piece of it.
  process.nextTick(endResponse, response);
}

function endResponse(response: ServerResponse): void {
  response.end();
}

/** Answers for a resource that commands were run for: with a body 200, without 204. */
export function writeResource(
  response: ServerResponse,
  context: RequestContext,
  trace: CommandTrace,
  body?: { readonly type: string; readonly bytes: Buffer | string },
): void {
  if (response.destroyed) return;
  const headers = ['X-Request-Id', context.requestId];
  for (const [name, value] of Object.entries({ ...apiHeaders, ...context.answerHeaders })) headers.push(name, value);
  if (body !== undefined) {
    const length = Buffer.byteLength(body.bytes);
    headers.push('Content-Type', body.type, 'Content-Length', String(length));
    context.replies.count(response, length);
  }
  addTrace(headers, trace);
  // What Nest's side has set already is in the list as well.
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  response.writeHead(body === undefined ? 204 : 200, headers);
  response.end(body?.bytes);
}

/** Opens an answer that is told bit by bit; its headers leave at once. */
export function beginStream(
  response: ServerResponse,
  context: RequestContext,
  type: string,
  trace: CommandTrace,
  furtherHeaders: Readonly<Record<string, string>> = {},
): void {
  const headers = ['Content-Type', type, 'X-Request-Id', context.requestId];
  for (const [name, value] of Object.entries({ ...apiHeaders, ...context.answerHeaders, ...furtherHeaders }))
    headers.push(name, value);
  addTrace(headers, trace);
  // What Nest's side has set already is in the list as well.
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  response.writeHead(200, headers);
  response.flushHeaders();
}

function addTrace(
  headers: string[],
  { queueMs, qmpMs, epoch, cursor, operation, deprecated, replayed, preference, location }: CommandTrace,
): void {
  if (queueMs !== undefined)
    headers.push(
      'Server-Timing',
      `queue;dur=${milliseconds(queueMs)}${qmpMs === undefined ? '' : `, qmp;dur=${milliseconds(qmpMs)}`}`,
    );
  if (epoch !== undefined) headers.push('QMP-VM-Epoch', epoch);
  if (cursor !== undefined) headers.push('QMP-Event-Cursor', cursor);
  if (operation !== undefined) headers.push('QMP-Operation', operation);
  // RFC 9745: a date since when; QAPI tells only that it is so, hence the epoch's first second.
  if (deprecated === true) headers.push('Deprecation', '@0');
  if (replayed === true) headers.push('Idempotency-Replayed', 'true');
  if (preference !== undefined) headers.push('Preference-Applied', preference);
  if (location !== undefined) headers.push('Location', location);
}

/** Answers with JSON text that was rendered already. */
export function sendJson(response: ServerResponse, status: number, json: string): void {
  response.writeHead(status, {
    ...apiHeaders,
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(json),
  });
  response.end(json);
}
