import type { ServerResponse } from 'node:http';
import type { CommandTrace } from './command-trace.js';
import { problemBody, type Problem } from '../problems/problem.js';
import { linkTo } from '../settings/links.js';
import { formatMilliseconds } from './format-milliseconds.js';
import { headerLines, headerList } from './header-lines.js';
import { writeInOnePiece } from './one-piece-answer.js';
import type { RequestContext } from './request-context.js';

/** Headers of every answer that carries data of VMs or of the gateway. */
export const apiHeaders: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
};

/**
 * Writes an `application/problem+json` answer. One that has begun is broken off, which says that it is not whole: it is too
 * late for a status, and left open it would be waited for. Does nothing when the client is gone or has its answer.
 */
export function writeProblem(
  response: ServerResponse,
  problem: Problem,
  context: RequestContext,
  trace?: CommandTrace,
): void {
  if (response.writableEnded || response.destroyed) return;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = JSON.stringify(problemBody(problem));
  const headers = ['Content-Type', 'application/problem+json', 'Content-Length', String(Buffer.byteLength(body))];
  for (const [name, value] of Object.entries({ ...apiHeaders, ...context.answerHeaders, ...problem.headers }))
    headers.push(name, value);
  headers.push('X-Request-Id', context.requestId);
  if (trace !== undefined) headers.push(...headerList(traceLines(trace)));
  // What Nest's side has set already is in the list as well.
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  response.writeHead(problem.status, headers);
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

/** Writes a successful command answer: the bare value, and the way of the command in headers. */
export function writeValue(
  response: ServerResponse,
  json: Buffer | string,
  context: RequestContext,
  trace: CommandTrace,
): void {
  if (response.destroyed) return;
  const length = typeof json === 'string' ? Buffer.byteLength(json) : json.length;
  // As one text: this runs for every command, and a list would be built only to be joined.
  const lines =
    contentLines(length) +
    `X-Request-Id: ${context.requestId}\r\n${traceLines(trace)}` +
    headerLines(context.answerHeaders);
  const status = trace.location === undefined ? 200 : 202;
  if (writeInOnePiece(response, status, lines, json)) return;
  context.replies.count(response, length);
  response.writeHead(status, headerList(lines));
  response.write(json);
  // After the tick in which Node hands over what was written: an `end` with data would make one more piece of it.
  process.nextTick(endResponse, response);
}

/** Lengths of values whose heads are kept: most are shorter. */
const shortValue = 1024;
/** By the length of the value. */
const knownContentLines: string[] = Array.from({ length: shortValue }, (_, length) => makeContentLines(length));

function contentLines(length: number): string {
  return knownContentLines[length] ?? makeContentLines(length);
}

/** What the head of each value begins with. */
function makeContentLines(length: number): string {
  const lines =
    `Content-Type: application/json\r\nContent-Length: ${length}\r\n` +
    'Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n';
  // In one piece, not as a text that the engine puts together each time it is written.
  return length < shortValue ? Buffer.from(lines, 'latin1').toString('latin1') : lines;
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
  headers.push(...headerList(traceLines(trace)));
  // What Nest's side has set already is in the list as well.
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  response.writeHead(body === undefined ? 204 : 200, headers);
  response.end(body?.bytes);
}

/** Begins an answer whose body follows bit by bit; its headers leave at once. */
export function beginStream(
  response: ServerResponse,
  context: RequestContext,
  trace: CommandTrace,
  body: { readonly type: string; readonly headers?: Readonly<Record<string, string>> },
): void {
  const headers = ['Content-Type', body.type, 'X-Request-Id', context.requestId];
  for (const [name, value] of Object.entries({ ...apiHeaders, ...context.answerHeaders, ...body.headers }))
    headers.push(name, value);
  headers.push(...headerList(traceLines(trace)));
  // What Nest's side has set already is in the list as well.
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  response.writeHead(200, headers);
  response.flushHeaders();
}

function traceLines(trace: CommandTrace): string {
  const { queueMs, qmpMs, epoch, cursor, operation, deprecated, replayed, preference, location } = trace;
  let lines = '';
  if (queueMs !== undefined) {
    const qmp = qmpMs === undefined ? '' : `, qmp;dur=${formatMilliseconds(qmpMs)}`;
    lines += `Server-Timing: queue;dur=${formatMilliseconds(queueMs)}${qmp}\r\n`;
  }
  if (epoch !== undefined) lines += `QMP-VM-Epoch: ${epoch}\r\n`;
  if (cursor !== undefined) lines += `QMP-Event-Cursor: ${cursor}\r\n`;
  if (operation !== undefined) lines += `QMP-Operation: ${operation}\r\n`;
  // RFC 9745: a date since when; QAPI tells only that it is so, hence the epoch's first second.
  if (deprecated === true) lines += 'Deprecation: @0\r\n';
  if (replayed === true) lines += 'Idempotency-Replayed: true\r\n';
  if (preference !== undefined) lines += `Preference-Applied: ${preference}\r\n`;
  if (location !== undefined) lines += `Location: ${linkTo(location)}\r\n`;
  return lines;
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
