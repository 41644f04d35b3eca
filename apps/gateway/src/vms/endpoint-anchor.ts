import { parseEndpoint } from '@qmp-gateway/qmp';
import { matchesGlob } from '../access/glob.js';

export interface AnchoredPath {
  readonly path: string;
  /** The directory down to which the path is the text of the operator's glob. */
  readonly anchor: string;
}

/**
 * How much of an endpoint's path the operator wrote who granted these globs: the directories before the first star. Of
 * several globs that match, the one that says most counts. Undefined for what is no unix socket, and for a glob without
 * star, which names this one socket.
 */
export function endpointAnchor(globs: readonly string[], endpoint: string): AnchoredPath | undefined {
  const parsed = parseEndpoint(endpoint);
  if (parsed.kind !== 'unix' && parsed.kind !== 'listen-unix') return undefined;
  const { path } = parsed;
  const scheme = endpoint.length - path.length;
  let anchor = '/';
  for (const glob of globs.filter((each) => matchesGlob(each, endpoint))) {
    const star = glob.indexOf('*');
    if (star < 0) return undefined;
    const fixed = glob.slice(scheme, Math.max(scheme, star));
    const directory = fixed.slice(0, fixed.lastIndexOf('/'));
    if (directory.length > anchor.length) anchor = directory;
  }
  return { path, anchor };
}
