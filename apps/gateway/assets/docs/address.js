// The part of the page's address behind `#`: which document is shown, and which of its operations is open.
//
//   #vm=web-1&command=device_add    of a VM
//   #catalog=qemu-10.2              of a release
//   #command=listVms                of the gateway
//
// Nothing else in the address has a say.

const escaped = (text) => encodeURIComponent(text).replaceAll('%2F', '/');

/** What the address names; members are absent where it names none. */
export function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1).replaceAll('+', '%2B'));
  const address = {};
  for (const name of ['vm', 'catalog', 'command']) {
    const value = given.get(name);
    if (value !== null && value !== '') address[name] = value;
  }
  return address;
}

/** The address of what is shown, relative to the page. */
export function hashOf({ vm, catalog, command }) {
  const parts = Object.entries({ vm, catalog, command }).filter(([, value]) => value !== undefined);
  return `#${parts.map(([name, value]) => `${name}=${escaped(value)}`).join('&')}`;
}

/** @param isNew whether "back" leads to what was there before */
export function writeAddress(address, isNew) {
  const hash = hashOf(address);
  if (hash === (location.hash || '#')) return;
  const url = hash === '#' ? location.pathname + location.search : hash;
  if (isNew) history.pushState(null, '', url);
  else history.replaceState(null, '', url);
}

/** The path of the document that an address names. */
export function documentPath({ vm, catalog }) {
  if (vm !== undefined) return `/v1/vms/${encodeURIComponent(vm)}/openapi.json`;
  return catalog === undefined ? '/openapi.json' : `/docs/catalogs/${encodeURIComponent(catalog)}.json`;
}

/** The address of a document, from its path. */
export function addressOfDocument(path) {
  const [, vm] = /^\/v1\/vms\/([^/]+)\/openapi\.json$/.exec(path) ?? [];
  if (vm !== undefined) return { vm: decodeURIComponent(vm) };
  const [, catalog] = /^\/docs\/catalogs\/(.+)\.json$/.exec(path) ?? [];
  return catalog === undefined ? {} : { catalog: decodeURIComponent(catalog) };
}
