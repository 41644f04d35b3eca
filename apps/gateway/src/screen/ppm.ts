/** Pixels in rows from the top, three bytes each: red, green, blue. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly rgb: Buffer;
}

const header = /^P6\s+(\d{1,5})\s+(\d{1,5})\s+255\s/;

/** Parses a binary PPM with 8 bits per channel, the form that QEMU writes. @returns undefined for anything else */
export function readPpm(bytes: Buffer): Pixels | undefined {
  const match = header.exec(bytes.toString('latin1', 0, 64));
  if (match === null) return undefined;
  const [head, width, height] = [match[0], Number(match[1]), Number(match[2])];
  const rgb = bytes.subarray(head.length, head.length + width * height * 3);
  return width > 0 && height > 0 && rgb.length === width * height * 3 ? { width, height, rgb } : undefined;
}
