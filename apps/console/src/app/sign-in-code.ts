/** In the fragment, which browsers send to nobody. */
const form = /^#code=([A-Za-z0-9_-]+)$/;

/** A one-time code in the address, which is then no longer there, nor in the history of the browser. */
export function takeCode(
  location: Pick<Location, 'hash' | 'pathname' | 'search'>,
  history: Pick<History, 'replaceState'>,
): string | undefined {
  const code = form.exec(location.hash)?.[1];
  if (code !== undefined) history.replaceState(null, '', location.pathname + location.search);
  return code;
}
