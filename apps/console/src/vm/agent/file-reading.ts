/** A file of the guest, as far as it was read. */
export interface ReadFile {
  readonly path: string;
  readonly bytes: number;
  readonly parts: readonly Uint8Array<ArrayBuffer>[];
}

/** A browser holds no more in one page. */
export const mostBytes = 1024 ** 3;
/** What is shown of a file as text. */
const shownBytes = 256 * 1024;

/** The file was larger than a page can hold. */
export class FileTooLarge extends Error {
  override readonly name = 'FileTooLarge';
}

/**
 * Reads a file part by part.
 * @param progress called after each part
 * @throws FileTooLarge past `most` bytes, and what the parts throw
 */
export async function readWholeFile(
  path: string,
  parts: AsyncIterable<Uint8Array>,
  progress: (bytes: number) => void,
  most = mostBytes,
): Promise<ReadFile> {
  const kept: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const part of parts) {
    bytes += part.length;
    if (bytes > most) throw new FileTooLarge(`The file has more than ${most} bytes: read it with curl instead.`);
    kept.push(new Uint8Array(part));
    progress(bytes);
  }
  return { path, bytes, parts: kept };
}

/** The beginning of a file as text; undefined where it is none. */
export function textOfFile({
  parts,
  bytes,
}: Pick<ReadFile, 'parts' | 'bytes'>): { text: string; cut: boolean } | undefined {
  const start = new Uint8Array(Math.min(bytes, shownBytes));
  let at = 0;
  for (const part of parts) {
    if (at >= start.length) break;
    start.set(part.subarray(0, start.length - at), at);
    at += part.length;
  }
  if (start.includes(0)) return undefined;
  const cut = bytes > start.length;
  try {
    // A character may be cut in two at the end.
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(start, { stream: cut }), cut };
  } catch {
    return undefined;
  }
}
