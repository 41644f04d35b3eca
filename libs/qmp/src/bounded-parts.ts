import type { Span } from './message.js';
import { asObject, asText, parsedJson } from './peer-json.js';
import { cutText, serverBounds } from './server-bounds.js';

// Reads parts of a server's messages, up to their bounds.

const genericError = 'GenericError';

/** Class and text of the `error` member, up to their bounds. */
export function readError(line: Buffer, { start, end }: Span): { readonly class: string; readonly desc: string } {
  const bytes = end - start;
  if (bytes > serverBounds.errorMember.most)
    return { class: genericError, desc: `The server gave an error of ${bytes} bytes, which is too long to report.` };
  const error = asObject(parsedJson(line.toString('utf8', start, end)));
  const [errorClass, desc] = [asText(error?.['class']) ?? genericError, asText(error?.['desc']) ?? ''];
  const { most } = serverBounds.errorText;
  return {
    class: errorClass.length <= serverBounds.errorClass.most ? errorClass : genericError,
    desc: desc.length <= most ? desc : `${cutText(desc, most)}… (cut: it has ${desc.length} characters)`,
  };
}

/** Length of a member in bytes; 0 if absent. */
export function lengthOf({ start, end }: Span): number {
  return start < 0 ? 0 : end - start;
}

/** The name of an event from its JSON string; null if it exceeds its bound. */
export function boundedName(line: Buffer, span: Span): string | null {
  const { most } = serverBounds.eventName;
  // A character takes at most six bytes (`\u0041`).
  if (span.end - span.start > 6 * most + 2) return null;
  const name = textOf(line, span);
  return name.length <= most ? name : null;
}

/** The text of a JSON string. */
function textOf(line: Buffer, { start, end }: Span): string {
  const text = line.toString('utf8', start + 1, end - 1);
  return text.includes('\\') ? (JSON.parse(line.toString('utf8', start, end)) as string) : text;
}

/** An event's timestamp as the server wrote it, `null` as text where it has none; null for one that is too long. */
export function boundedTimestamp(line: Buffer, span: Span): string | null {
  const length = lengthOf(span);
  if (length === 0) return 'null';
  return length <= serverBounds.eventTimestamp.most ? line.toString('utf8', span.start, span.end) : null;
}
