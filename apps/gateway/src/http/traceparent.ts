const traceContext = /^(?!ff)([0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.{0,200})?$/;
/** Of the parts that every version has. */
const length = 55;

/**
 * The `traceparent` of a request (W3C Trace Context, section 3.2), so that logs and audit can be put beside the traces of
 * others. What is malformed is as if it had not been sent.
 */
export function readTraceparent(header: string | readonly string[] | undefined): string | undefined {
  if (typeof header !== 'string') return undefined;
  const match = traceContext.exec(header);
  if (match === null) return undefined;
  // Only versions to come may say more.
  if (match[1] === '00' && match[2] !== undefined) return undefined;
  return header.slice(0, length);
}
