// The script of /docs: chooses which document Swagger UI shows, and sends the token with what it tries out.
//
// The token lives in this module's memory and nowhere else: not in the address, not in any storage. Everything that
// came from the gateway or a VM is put on the page as text.

const selector = document.getElementById('document');
const vmGroup = document.getElementById('vms');
const catalogGroup = document.getElementById('catalogs');
const credentials = document.getElementById('credentials');
const tokenField = document.getElementById('token');
const statusLine = document.getElementById('status');

let token = '';
/** Ends the loading of a document that nobody wants any more. */
let loading = new AbortController();

// The address of this page (`?url=`, `?configUrl=`) has no say in what is shown.
const ui = window.SwaggerUIBundle({
  dom_id: '#swagger-ui',
  queryConfigEnabled: false,
  validatorUrl: null,
  deepLinking: true,
  docExpansion: 'none',
  defaultModelsExpandDepth: -1,
  filter: true,
  displayRequestDuration: true,
  // Colouring the reply to query-qmp-schema takes seconds.
  syntaxHighlight: { activated: false },
  // The curl line shows the request as it was before `prepare`, so the token is not on the screen.
  showMutatedRequest: false,
  requestInterceptor: prepare,
  plugins: [{ afterLoad: resolveInParts }],
});

/**
 * Makes Swagger UI read what an operation refers to, not the whole document, each time one is opened: with the commands
 * of a QEMU that is the difference between seconds and no wait. `this` is Swagger UI's system of plugins.
 */
function resolveInParts() {
  const { resolveSubtree } = this.fn;
  this.fn.resolveSubtree = (spec, path, options) => resolveSubtree(partOf(spec, path), path, options);
}

/** The document cut down to one path item or one kind of components, and to the components it refers to. */
function partOf(spec, [section, name]) {
  if (name === undefined || spec[section]?.[name] === undefined) return spec;
  const part = { ...spec, paths: {}, components: {} };
  part[section] = { [name]: spec[section][name] };
  const follow = (node) => {
    if (typeof node === 'string' && node.startsWith('#/components/')) {
      const [, , kind, key] = node.split('/');
      const target = spec.components[kind]?.[key];
      if (target === undefined || part.components[kind]?.[key] !== undefined) return;
      part.components[kind] = { ...part.components[kind], [key]: target };
      follow(target);
    } else if (typeof node === 'object' && node !== null) Object.values(node).forEach(follow);
  };
  follow(spec[section][name]);
  return part;
}

/** Puts the token on a request to this gateway, and asks commands for integers that the browser would round as strings. */
function prepare(request) {
  const { origin, pathname } = new URL(request.url, location.href);
  if (origin !== location.origin) return request;
  const headers = new Headers(request.headers);
  if (token !== '') headers.set('Authorization', `Bearer ${token}`);
  if (/\/qmp(\/|$)/.test(pathname)) headers.set('Accept', 'application/json;int64=string');
  request.headers = Object.fromEntries(headers);
  return request;
}

/** GET from this gateway. Throws an Error with a sentence for people. */
async function get(path, signal) {
  const response = await fetch(path, prepare({ url: path, headers: { Accept: 'application/json' }, signal }));
  if (response.ok) return response.text();
  const problem = await response.json().catch(() => ({}));
  throw Object.assign(new Error(problem.detail ?? `${path} was answered with status ${response.status}`), problem);
}

function say(text, isFault = false) {
  statusLine.textContent = text;
  statusLine.classList.toggle('fault', isFault);
}

async function showDocument(path) {
  loading.abort();
  loading = new AbortController();
  const { signal } = loading;
  try {
    const text = await get(path, signal);
    // Relative `servers` of the document are seen from its address.
    ui.specActions.updateUrl(new URL(path, location.origin).href);
    ui.specActions.updateLoadingStatus('success');
    ui.specActions.updateSpec(text);
    say('');
  } catch (error) {
    if (!signal.aborted) say(error.message, true);
  }
}

function option(value, text, disabled = false) {
  const element = document.createElement('option');
  Object.assign(element, { value, textContent: text, disabled });
  return element;
}

function fill(group, options) {
  const chosen = selector.value;
  group.replaceChildren(...options);
  group.hidden = options.length === 0;
  selector.value = chosen;
}

async function listCatalogs() {
  const { catalogs } = JSON.parse(await get('/docs/catalogs.json'));
  fill(
    catalogGroup,
    catalogs.map(({ name, version, url }) => option(url, `${name} ${version}`)),
  );
}

async function listVms() {
  const { vms } = JSON.parse(await get('/v1/vms'));
  fill(
    vmGroup,
    // What a VM offers is known once it was connected.
    vms.map(({ id, kind, version, state, schema }) =>
      option(
        `/v1/vms/${encodeURIComponent(id)}/openapi.json`,
        [id, kind, version, state].filter(Boolean).join(' · '),
        !schema,
      ),
    ),
  );
  return vms.length;
}

selector.addEventListener('change', () => void showDocument(selector.value));

credentials.addEventListener('submit', async (submission) => {
  submission.preventDefault();
  token = tokenField.value.trim();
  try {
    const count = await listVms();
    say(count === 1 ? 'Token accepted: 1 VM.' : `Token accepted: ${count} VMs.`);
  } catch (error) {
    token = '';
    fill(vmGroup, []);
    say(error.message, true);
  }
});

/** A gateway that asks for no credentials has its list of VMs open. */
async function listVmsWithoutToken() {
  try {
    await listVms();
    // A token may have been entered meanwhile; then this answer says nothing.
    credentials.hidden = token === '';
  } catch (error) {
    if (token !== '') return;
    const isAsked = error.code === 'unauthenticated';
    say(isAsked ? 'Enter a token to see the VMs.' : error.message, !isAsked);
  }
}

await showDocument(selector.value);
await listCatalogs().catch((error) => say(error.message, true));
if (token === '') await listVmsWithoutToken();
