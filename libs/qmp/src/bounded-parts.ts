import type { Span } from './message.js';
import { asObject, asText, parsedJson } from './peer-json.js';
import { cutText, serverBounds } from './server-bounds.js';

// Parts of a server's messages, read as far as the bounds have it.

const genericError = 'GenericError';

/** The `error` member: its class and text as far as they are kept. */
export function readError(line: Buffer, { start, end }: Span): { readonly class: string; readonly desc: string } {
  const bytes = end - start;
  if (bytes > serverBounds.errorMember.most)
    return { class: genericError, desc: `The server gave an error of ${bytes} bytes, which is too long to be told.` };
  const error = asObject(parsedJson(line.toString('utf8', start, end)));
  const [errorClass, desc] = [asText(error?.['class']) ?? genericError, asText(error?.['desc']) ?? ''];
  const { most } = serverBounds.errorText;
  return {
    class: errorClass.length <= serverBounds.errorClass.most ? errorClass : genericError,
    desc: desc.length <= most ? desc : `${cutText(desc, most)}… (cut: it has ${desc.length} characters)`,
  };
}

/** Bytes of a member; 0 when it is absent. */
export function lengthOf({ start, end }: Span): number {
  return start < 0 ? 0 : end - start;
}

/** The text of an event's name, a JSON string; null when it is too long to be one. */
export function boundedName(line: Buffer, span: Span): string | null {
  const { most } = serverBounds.eventName;
  // At most six bytes (`\u0041`) are one character.
  if (span.end - span.start > 6 * most + 2) return null;
  const name = textOf(line, span);
  return name.length <= most ? name : null;
}

/** A JSON string's text. */
function textOf(line: Buffer, { start, end }: Span): string {
  const text = line.toString('utf8', start + 1, end - 1);
  return text.includes('\\') ? (JSON.parse(line.toString('utf8', start, end)) as string) : text;
}
