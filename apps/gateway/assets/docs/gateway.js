// Requests to the gateway that served the page.
//
// The token lives in this module's memory and nowhere else: not in the address, not in any storage.

/** Where the gateway's paths begin: a proxy may have put it below a path of its own. */
export const base = new URL('../../../', import.meta.url);

let token = '';

/** @param given from now on; empty for none */
export function useToken(given) {
  token = given;
}

export function hasToken() {
  return token !== '';
}

/** The whole address of a path of the gateway, which may have the path of the proxy before it. */
export function addressOf(path) {
  const below = path.startsWith(base.pathname) ? path.slice(base.pathname.length) : path.replace(/^\//, '');
  // Not by the URL class: it would escape the braces of variables.
  return base.href + below;
}

/** Puts the token on a request to this gateway, and asks commands for integers that the browser would round as strings. */
export function prepare(request) {
  const { origin, pathname } = new URL(request.url, location.href);
  if (origin !== base.origin || !pathname.startsWith(base.pathname)) return request;
  const headers = new Headers(request.headers);
  if (hasToken()) headers.set('Authorization', `Bearer ${token}`);
  if (/\/qmp(\/|$)/.test(pathname)) headers.set('Accept', 'application/json;int64=string');
  request.headers = Object.fromEntries(headers);
  return request;
}

/** GET of JSON from this gateway. Throws an Error with a sentence for people and, of a problem, its members. */
export async function get(path, signal) {
  const url = addressOf(path);
  const response = await fetch(url, prepare({ url, headers: { Accept: 'application/json' }, signal }));
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw Object.assign(new Error(problem.detail ?? `${path} was answered with status ${response.status}`), problem);
}
