// The script of /docs: chooses which document Swagger UI shows, and sends the token with what it tries out. Everything that
// came from the gateway or a VM is put on the page as text.

import { addressOfDocument, documentPath, hashOf, readAddress, writeAddress } from './address.js';
import { CommandsList } from './commands-list.js';
import { addressOf, get, hasToken, prepare, useToken } from './gateway.js';
import { outlineOf, partOf } from './shown-document.js';
import { loadSwaggerUi } from './swagger-operation.js';

const selector = document.getElementById('document');
const vmGroup = document.getElementById('vms');
const catalogGroup = document.getElementById('catalogs');
const credentials = document.getElementById('credentials');
const tokenField = document.getElementById('token');
const statusLine = document.getElementById('status');
const hint = document.getElementById('hint');
const main = document.getElementById('swagger-ui');
const pageTitle = document.title;

/** Ends the loading of a document that nobody wants any more. */
let loading = new AbortController();
/** What is shown: the document, its outline, and the address. */
let shown = { address: {} };

/** What rows need of the page. */
const page = {
  linkTo: (operationId) => hashOf({ ...shown.address, command: operationId }),
  partOf: (operation) => ({ url: shown.url, document: partOf(shown.document, shown.outline, operation) }),
  failed: (error) => say(error.message, true),
  /** The address and the title name the operation that was opened last. */
  toggled({ operationId }, isOpen) {
    const { command, ...rest } = shown.address;
    if (!isOpen && command !== operationId) return;
    shown.address = isOpen ? { ...rest, command: operationId } : rest;
    writeAddress(shown.address, false);
    entitle();
  },
};

function entitle() {
  const { vm, command } = shown.address;
  const title = shown.document?.info.title;
  const parts = [command, vm, pageTitle.startsWith(title) ? undefined : title, pageTitle];
  document.title = parts.filter(Boolean).join(' · ');
}

function say(text, isFault = false) {
  statusLine.textContent = text;
  statusLine.classList.toggle('fault', isFault);
}

/** Shows what an address names, and opens the operation that it names. */
async function show(address) {
  loading.abort();
  loading = new AbortController();
  const { signal } = loading;
  const path = documentPath(address);
  if ([...selector.options].some(({ value }) => value === path)) selector.value = path;
  try {
    const loaded = await get(path, signal);
    if (signal.aborted) return;
    const { vm, catalog } = address;
    const outline = outlineOf(loaded, vm === undefined ? loaded.info.title : `${vm}: ${loaded.info.title}`);
    shown = { url: addressOf(path), document: loaded, outline, address: { vm, catalog } };
    shown.list = new CommandsList(outline, page);
    main.replaceChildren(shown.list.element);
    hint.hidden = true;
    say('');
    entitle();
    openOperation(address.command);
    // Whoever has found what he looks for will open it; until then the list comes first.
    afterPaint(() => void loadSwaggerUi().catch(page.failed));
  } catch (error) {
    if (!signal.aborted) refuse(address, error);
  }
}

function afterPaint(act) {
  requestAnimationFrame(() => setTimeout(() => (window.requestIdleCallback ?? setTimeout)(act), 0));
}

function openOperation(operationId) {
  if (operationId === undefined) return;
  // It may have been open before.
  if (shown.list.open(operationId)) page.toggled({ operationId }, true);
  else say(`There is no ${operationId} in ${shown.address.vm ?? shown.outline.info.title}.`, true);
}

function refuse({ vm }, error) {
  const isAsked = error.code === 'unauthenticated' && !hasToken();
  say(isAsked && vm !== undefined ? `Enter a token to see ${vm}.` : error.message, !isAsked);
  if (isAsked) tokenField.focus();
  clear();
  hint.textContent = isAsked
    ? `The commands of ${vm} are shown to whoever has a token.`
    : `${error.message} Choose what to show above.`;
}

/** What was shown is not what the address names, or not for these credentials. */
function clear() {
  shown = { address: {} };
  main.replaceChildren();
  hint.textContent = 'Choose what to show above.';
  hint.hidden = false;
  selector.selectedIndex = -1;
  entitle();
}

function option(value, text, disabled = false) {
  return Object.assign(document.createElement('option'), { value, textContent: text, disabled });
}

function fill(group, options) {
  const path = shown.document === undefined ? undefined : documentPath(shown.address);
  const chosen = selector.value;
  group.replaceChildren(...options);
  group.hidden = options.length === 0;
  selector.value = [...selector.options].some(({ value }) => value === path) ? path : chosen;
}

async function listCatalogs() {
  const { catalogs } = await get('/docs/catalogs.json');
  fill(
    catalogGroup,
    catalogs.map(({ name, version, url }) => {
      const file = url.slice(url.lastIndexOf('/') + 1);
      return option(`/docs/catalogs/${file}`, `${name} ${version}`);
    }),
  );
}

async function listVms() {
  const { vms } = await get('/v1/vms');
  fill(
    vmGroup,
    // What a VM offers is known once it was connected.
    vms.map(({ id, kind, version, state, schema }) =>
      option(documentPath({ vm: id }), [id, kind, version, state].filter(Boolean).join(' · '), !schema),
    ),
  );
  return vms.length;
}

selector.addEventListener('change', () => {
  const address = addressOfDocument(selector.value);
  writeAddress(address, true);
  void show(address);
});

// Somebody followed a link, or went back.
window.addEventListener('popstate', () => {
  const address = readAddress();
  const isHere = shown.document !== undefined && documentPath(address) === documentPath(shown.address);
  if (isHere) openOperation(address.command);
  else void show(address);
});

credentials.addEventListener('submit', async (submission) => {
  submission.preventDefault();
  useToken(tokenField.value.trim());
  try {
    const count = await listVms();
    const wanted = readAddress();
    if (wanted.vm !== undefined) await show(wanted);
    else say(count === 1 ? 'Token accepted: 1 VM.' : `Token accepted: ${count} VMs.`);
  } catch (error) {
    useToken('');
    fill(vmGroup, []);
    if (shown.address.vm !== undefined) clear();
    say(error.message, true);
  }
});

/** A gateway that asks for no credentials has its list of VMs open. */
async function listVmsWithoutToken() {
  try {
    await listVms();
    // A token may have been entered meanwhile; then this answer says nothing.
    credentials.hidden = !hasToken();
  } catch (error) {
    if (hasToken()) return;
    const isAsked = error.code === 'unauthenticated';
    if (statusLine.textContent === '') say(isAsked ? 'Enter a token to see the VMs.' : error.message, !isAsked);
  }
}

await show(readAddress());
await listCatalogs().catch((error) => say(error.message, true));
if (!hasToken()) await listVmsWithoutToken();
