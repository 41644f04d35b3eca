import type { Vm } from '@qmp-gateway/client';
import { Link } from 'react-router';
import { usePicture } from './use-picture.js';

const everyMs = 30_000;

/** A small picture of the screen, which leads to it. */
export function Thumbnail({ vm: { id, state, display, health } }: { readonly vm: Vm }) {
  const isWanted = state === 'ready' && display !== false && health === 'ok';
  const { url } = usePicture(id, everyMs, isWanted);
  if (url === undefined) return <span className="qg-thumbnail" aria-hidden="true" />;
  return (
    <Link to={`/vms/${encodeURIComponent(id)}/screen`} className="qg-thumbnail" aria-label={`Screen of ${id}`}>
      <img src={url} alt="" />
    </Link>
  );
}
