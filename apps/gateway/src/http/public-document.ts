import type { IncomingMessage, ServerResponse } from 'node:http';
import { header, type AnswerDeclaration } from './resource/resource.js';
import { sendTagged, type TaggedDocument } from './tagged-document.js';

/** The answers of a route for a document with a tag. */
export function publicAnswers(document: AnswerDeclaration): Record<number, AnswerDeclaration> {
  const headers = { ETag: header('Hash of the document; send it as `If-None-Match`') };
  return { 200: { ...document, headers }, 304: { what: 'Not changed', headers } };
}

/**
 * Answers with a document that anyone may have. Unlike what lies below `/v1` it may be kept, and is asked for anew each
 * time (`no-cache`): a newer gateway answers at the same address. `headers` may say otherwise.
 */
export function sendPublicDocument(
  request: IncomingMessage,
  response: ServerResponse,
  document: TaggedDocument,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  return sendTagged(request, response, document, { 'Cache-Control': 'no-cache', ...headers });
}
