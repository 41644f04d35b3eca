const vmPath = /^\/v1\/vms\/([^/]+)(?:\/|$)/;

/** A part of a path between two slashes, decoded; undefined when it is not there or not decodable. */
export function decodeSegment(segment: string | undefined): string | undefined {
  if (segment?.includes('%') !== true) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/** The id in the path of a VM or of something below it; undefined for any other path. */
export function vmOfPath(path: string): string | undefined {
  return decodeSegment(vmPath.exec(path)?.[1]);
}

/** Questions what somebody may do; their VM is in the query or the body. */
export const accessPath = '/v1/access';
