let base = '';

/**
 * What stands before the gateway's paths for its clients: the path of `publicUrl`. Said once, by whoever makes the
 * gateway, before it answers anything.
 */
export function beginLinksWith(given: string): void {
  base = given;
}

/** A path of the gateway as its clients reach it. */
export function linkTo(path: string): string {
  return base + path;
}
