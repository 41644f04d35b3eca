// The list of all operations of a document: plain elements that are there at once and can be searched by the browser. What an
// operation is in full, Swagger UI shows when one is opened.

import { element, prose } from './element.js';
import { OperationRow } from './operation-row.js';

/** The list of one document, and what is open in it. */
export class CommandsList {
  #groups;
  #count = element('span.count', { role: 'status' });
  #filter = element('input.operation-filter-input', {
    ...{ type: 'search', placeholder: 'Filter by name, words or tag', 'aria-label': 'Filter' },
    input: () => this.#apply(),
    keydown: ({ key }) => {
      if (key === 'Enter') this.#rows.find(({ isFound }) => isFound)?.open();
    },
  });

  /**
   * @param outline of the document
   * @param page what rows need of it: see `OperationRow`
   */
  constructor(outline, page) {
    this.#groups = groupsOf(outline, page);
    this.element = element(
      'div.swagger-ui',
      {},
      element(
        'div.info',
        {},
        element('h2.title', {}, outline.info.title),
        element('p', {}, ...prose(outline.info.description ?? '')),
      ),
      element('div.filter-container', {}, this.#filter, this.#count),
      element(
        'div.columns',
        {},
        element('nav', { 'aria-label': 'Tags' }, ...this.#groups.map((group) => group.link)),
        element('div', { id: 'operations' }, ...this.#groups.map((group) => group.element)),
      ),
    );
    this.#apply();
  }

  /** Opens an operation and brings it into view. @returns false when there is none of this id */
  open(operationId) {
    const row = this.#rows.find((one) => one.operationId === operationId);
    if (row === undefined) return false;
    if (!row.isFound) {
      this.#filter.value = '';
      this.#apply();
    }
    row.open();
    row.element.scrollIntoView();
    return true;
  }

  get #rows() {
    return this.#groups.flatMap(({ rows }) => rows);
  }

  #apply() {
    const words = this.#filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const group of this.#groups) group.apply(words);
    const all = pathsOf(this.#rows);
    const found = pathsOf(this.#rows.filter(({ isFound }) => isFound));
    const areCommands = [...all].every((path) => /^\/(?:qmp|agent)\//.test(path));
    const counted = words.length === 0 ? all.size : `${found.size} of ${all.size}`;
    this.#count.textContent = `${counted} ${areCommands ? 'commands' : 'paths'}`;
  }
}

function pathsOf(rows) {
  return new Set(rows.map(({ path }) => path));
}

/** The operations of one tag. */
class Group {
  #isOpen = true;
  #button;
  #heading;
  #content;

  constructor({ name, description = '' }, rows) {
    this.rows = rows;
    this.#button = element('button', {}, name);
    this.#heading = element(
      'h3.opblock-tag',
      { id: `operations-tag-${name.replaceAll(/\s/g, '_')}`, 'data-tag': name, click: () => this.#toggle() },
      this.#button,
      // What only names the tag again says nothing.
      element('small', {}, ...(description.includes(`\`${name}\``) ? [] : prose(description))),
    );
    this.#content = element('div.operation-tag-content', {}, ...rows.map((row) => row.element));
    this.element = element('section.opblock-tag-section', {}, this.#heading, this.#content);
    this.link = element('button', { click: () => this.#heading.scrollIntoView() }, name);
    this.#show(true);
  }

  /** Shows what has all the words, open; without words all, as somebody left it. */
  apply(words) {
    for (const row of this.rows) row.apply(words);
    this.isFound = this.rows.some(({ isFound }) => isFound);
    this.element.hidden = this.link.hidden = !this.isFound;
    this.#show(this.#isOpen || words.length > 0);
  }

  open() {
    this.#isOpen = true;
    this.#show(true);
  }

  #toggle() {
    this.#isOpen = this.#content.hidden;
    this.#show(this.#isOpen);
  }

  #show(isOpen) {
    this.#content.hidden = !isOpen;
    this.element.classList.toggle('is-open', isOpen);
    this.#heading.dataset.isOpen = isOpen;
    this.#button.ariaExpanded = isOpen;
  }
}

function groupsOf({ tags, paths }, page) {
  const rows = new Map(tags.map(({ name }) => [name, []]));
  for (const [path, item] of Object.entries(paths)) {
    const said = new Set();
    for (const [method, operation] of Object.entries(item)) {
      const [tag = 'other'] = operation.tags ?? [];
      const isAgain = said.has(operation.summary);
      said.add(operation.summary);
      if (!rows.has(tag)) rows.set(tag, []);
      rows.get(tag).push(new OperationRow({ ...operation, path, method, tag, isAgain }, page));
    }
  }
  return [...rows]
    .filter(([, { length }]) => length > 0)
    .map(([name, ofTag]) => {
      const tag = tags.find((known) => known.name === name) ?? { name };
      const group = new Group(tag, ofTag);
      for (const row of ofTag) row.group = group;
      return group;
    });
}
