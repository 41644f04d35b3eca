import { element, prose } from './element.js';
import { mountOperation } from './swagger-operation.js';

/** An operation in the list: its head is always there, the rest once it was opened. */
export class OperationRow {
  isFound = true;
  /** The tag it stands under. */
  group;
  #operation;
  #page;
  #words;
  #head;
  #button;
  #closed;
  /** Swagger UI's, once it was opened. */
  #opened;

  /**
   * @param operation of the outline, with its path, method and tag; `isAgain` when one before says the same of its path
   * @param page `linkTo(operationId)` is its address, `partOf(operation)` the part of the document for it, `toggled(row, isOpen)`
   *   hears of each that opens or closes, `failed(error)` of what went wrong
   */
  constructor(operation, page) {
    const { operationId, path, method, tag, summary = '', deprecated, isAgain } = operation;
    this.#operation = operation;
    this.#page = page;
    this.#words = `${path} ${summary} ${tag}`.toLowerCase();
    this.path = path;
    this.operationId = operationId;
    this.#button = element(
      'button.opblock-summary-control',
      { 'aria-expanded': 'false', click: () => (this.isOpen ? this.close() : this.open()) },
      element('span.opblock-summary-method', {}, method.toUpperCase()),
      element(
        'span.opblock-summary-path',
        { 'data-path': path },
        element('span.prefix', {}, path.slice(0, path.lastIndexOf('/') + 1)),
        path.slice(path.lastIndexOf('/') + 1),
      ),
      element(
        isAgain ? 'span.opblock-summary-description.again' : 'span.opblock-summary-description',
        {},
        ...prose(summary),
      ),
    );
    const level = operation['x-qapi-class'];
    this.#head = element(
      `div.opblock-summary.opblock-summary-${method}`,
      {},
      this.#button,
      deprecated ? element('span.level', {}, 'deprecated') : undefined,
      level === undefined ? undefined : element(`span.level.${level}`, { title: `Commands of class ${level}` }, level),
      element('a.link', { href: page.linkTo(operationId), 'aria-label': 'Link to this operation' }, '#'),
    );
    const id = `operations-${tag}-${operationId}`.replaceAll(/\s/g, '_');
    this.#closed = element(`div.opblock.opblock-${deprecated ? 'deprecated' : method}`, { id }, this.#head);
    this.element = element('div.row', {}, this.#closed);
  }

  get isOpen() {
    return this.#button.ariaExpanded === 'true';
  }

  /** Whether it has all the words; without words it has. */
  apply(words) {
    this.isFound = words.every((word) => this.#words.includes(word));
    this.element.hidden = !this.isFound;
  }

  open() {
    this.group.open();
    if (this.isOpen) return;
    this.#button.ariaExpanded = 'true';
    this.#page.toggled(this, true);
    if (this.#opened === undefined) void this.#mount();
    else this.#exchange(this.#opened);
  }

  close() {
    this.#button.ariaExpanded = 'false';
    this.#closed.append(this.#head);
    this.element.replaceChildren(this.#closed);
    this.#page.toggled(this, false);
  }

  async #mount() {
    this.#closed.classList.add('is-loading');
    const host = element('div', {});
    try {
      const slot = await mountOperation(host, this.#page.partOf(this.#operation));
      this.#opened = { host, slot };
      if (this.isOpen) this.#exchange(this.#opened);
    } catch (error) {
      this.#button.ariaExpanded = 'false';
      this.#page.failed(error);
    }
    this.#closed.classList.remove('is-loading');
  }

  /** The head is one for both, so that whoever has the focus there keeps it. */
  #exchange({ host, slot }) {
    const hadFocus = document.activeElement === this.#button;
    slot.append(this.#head);
    this.element.replaceChildren(host);
    if (hadFocus) this.#button.focus();
  }
}
