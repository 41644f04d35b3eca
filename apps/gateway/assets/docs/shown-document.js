// What the page shows of an OpenAPI document. A QEMU has two hundred commands that refer to a thousand types: the list
// is made of an outline, and Swagger UI gets one operation when somebody opens it.

import { addressOf, base } from './gateway.js';

const methods = ['get', 'put', 'post', 'delete'];
/** Of each operation, for its row in the list. */
const outlined = ['operationId', 'tags', 'summary', 'deprecated', 'x-qapi-class'];
/** Of types, in an open operation: more is nothing that anybody reads, and takes seconds. */
const mostParts = 2500;
/** The problem that serves as example, where an operation can end in it. */
const exampleCodes = ['command-failed', 'outcome-unknown', 'vm-unavailable'];

/**
 * The document without what only an open operation needs. Relative addresses of servers become whole ones, so that they
 * hold behind a proxy that has the gateway below a path.
 */
export function outlineOf({ openapi, info, servers, tags, paths }, title) {
  const outlinedPaths = Object.entries(paths).map(([path, item]) => [
    path,
    pick(item, methods, (operation) => pick(operation, outlined)),
  ]);
  return {
    ...{ openapi, tags, paths: Object.fromEntries(outlinedPaths) },
    info: { ...info, title },
    servers: servers.map((server) => ({ ...server, url: addressOf(server.url).replace(/\/$/, '') })),
  };
}

/** A document of one operation, as people look at it, and of the types that it refers to. */
export function partOf({ components, paths }, { openapi, info, servers }, { path, method, tag }) {
  const { [method]: operation, parameters } = paths[path];
  const shown = withTypes(operationFor({ components }, operation, parameters), components);
  // Where a variable is to be filled in, that is done in the operation.
  if (servers.some(({ variables }) => variables !== undefined)) shown.servers = servers;
  return { openapi, info, servers, tags: [{ name: tag }], paths: { [path]: { [method]: shown } } };
}

/**
 * A copy with types in the places that refer to them, the nearest first. Unions of unions have tens of thousands of parts,
 * and types may hold themselves: what is too far away has only its name.
 */
function withTypes(operation, components) {
  const copied = {};
  const waiting = [];
  let parts = 0;
  const fill = (holder, key, node, within) => {
    if (typeof node !== 'object' || node === null) holder[key] = node;
    else if (node.$ref?.startsWith?.('#/components/')) waiting.push({ holder, key, node, within });
    else {
      parts++;
      holder[key] = Array.isArray(node) ? [] : {};
      for (const [name, child] of Object.entries(node)) fill(holder[key], name, child, within);
    }
  };
  fill(copied, 'operation', operation, []);
  // Grows during the iteration.
  for (const { holder, key, node, within } of waiting) {
    const { $ref, ...beside } = node;
    const title = $ref.slice($ref.lastIndexOf('/') + 1);
    const target = componentAt(components, $ref);
    if (target === undefined || within.includes($ref) || parts > mostParts)
      holder[key] = { title, type: 'object', ...beside };
    else fill(holder, key, { title, ...target, ...beside }, [...within, $ref]);
  }
  return copied.operation;
}

function operationFor({ components }, operation, shared = []) {
  const resolved = (given) => (given.$ref === undefined ? given : (componentAt(components, given.$ref) ?? given));
  return {
    ...operation,
    // Those that all commands have stand in the components, those of the operation in itself.
    parameters: [...shared, ...(operation.parameters ?? [])].map((parameter) => {
      const isControl = parameter.$ref?.startsWith('#/components/parameters/') && !/\/VmId$/.test(parameter.$ref);
      return isControl ? { ...resolved(parameter), 'x-control': true } : resolved(parameter);
    }),
    responses: responsesFor(operation.responses, resolved),
  };
}

function componentAt(components, reference) {
  const [, , kind, key] = reference.split('/');
  return components[kind]?.[key];
}

/** Successes one by one, problems as one for each class of statuses. */
function responsesFor(responses, resolved) {
  const shown = {};
  const classes = { '4XX': [], '5XX': [] };
  for (const [status, given] of Object.entries(responses)) {
    const { headers, ...response } = resolved(given);
    const problems = classes[`${status[0]}XX`];
    if (problems === undefined)
      shown[status] = { ...response, description: withHeaders(response.description, headers) };
    else problems.push({ status, codes: codesOf(response.description) });
  }
  for (const [name, problems] of Object.entries(classes)) if (problems.length > 0) shown[name] = problemsOf(problems);
  return shown;
}

function withHeaders(description, headers = {}) {
  const names = Object.keys(headers).map((name) => `\`${name}\``);
  return names.length === 0 ? description : `${description}\n\nHeaders: ${names.join(', ')}`;
}

/** The codes in the description of a problem response, and their titles. */
function codesOf(description) {
  return [...description.matchAll(/^`([\w-]+)`: (.*)$/gm)].map(([, code, title]) => ({ code, title }));
}

function problemsOf(problems) {
  const lines = problems.map(({ status, codes }) => {
    const links = codes.map(({ code }) => `[${code}](${base.pathname}problems/${code})`);
    return `**${status}** ${links.join(', ')}`;
  });
  const all = problems.flatMap(({ status, codes }) => codes.map((row) => ({ ...row, status: Number(status) })));
  const example = exampleCodes.flatMap((code) => all.filter((row) => row.code === code))[0] ?? all[0];
  return {
    description: lines.join(' · '),
    ...(example === undefined ? {} : { content: { 'application/problem+json': { example: problemLike(example) } } }),
  };
}

function problemLike({ code, title, status }) {
  const isRefusal = code === 'command-failed';
  const outcome = code === 'outcome-unknown' ? 'unknown' : isRefusal ? 'refused' : 'not-sent';
  return {
    ...{
      type: `${base.pathname}problems/${code}`,
      title,
      status,
      detail: 'What is wrong with this very request',
      code,
    },
    ...{ outcome, retryable: code === 'vm-unavailable' },
    ...(isRefusal ? { qmp: { class: 'GenericError', desc: "The VM's own words" } } : {}),
  };
}

function pick(object, names, change = (value) => value) {
  return Object.fromEntries(names.filter((name) => name in object).map((name) => [name, change(object[name])]));
}
