import { closedLoop, dial, type Address, type LoadResult } from './closed-loop.js';

/**
 * Each connection sends the next request when it has the last answer. Bytes are compared, not parsed: all answers to one
 * request have the same length of body, announced by Content-Length.
 */
export async function httpLoad(
  address: Address,
  request: string,
  { connections, milliseconds }: { connections: number; milliseconds: number },
): Promise<LoadResult> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => dial(address)));
  return closedLoop(sockets, request, answerReader, milliseconds);
}

function answerReader(): (chunk: Buffer) => boolean {
  let missing = 0;
  let head = '';
  return (chunk) => {
    if (missing === 0) {
      head += chunk.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return false;
      if (!head.startsWith('HTTP/1.1 200')) throw new Error(`unexpected answer: ${head.slice(0, 500)}`);
      missing = Number(/content-length: (\d+)/i.exec(head)?.[1]) - (head.length - end - 4);
      head = '';
    } else missing -= chunk.length;
    return missing <= 0;
  };
}
