const html = 'http://www.w3.org/1999/xhtml';

/**
 * Runs something that makes `<style>` elements, and gives it ones that the page's policy (`style-src 'self'`) takes: what is
 * written into them goes to a style sheet of the document, which scripts may make. xterm.js has no other way.
 */
export function withStyleSheets<T>(run: () => T): T {
  const create = (name: string, options?: ElementCreationOptions): Element =>
    name === 'style' ? styleElement() : document.createElementNS(html, name, options);
  Object.defineProperty(document, 'createElement', { value: create, configurable: true });
  try {
    return run();
  } finally {
    // The one of the prototype is there again.
    Reflect.deleteProperty(document, 'createElement');
  }
}

/** An element that stands for a style sheet: its text is the sheet's, and the sheet goes with it. */
function styleElement(): HTMLElement {
  const element = document.createElementNS(html, 'span');
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  element.hidden = true;
  Object.defineProperty(element, 'textContent', {
    set: (text: string) => sheet.replaceSync(text),
    get: () => Array.from(sheet.cssRules, ({ cssText }) => cssText).join('\n'),
  });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => each !== sheet);
    Element.prototype.remove.call(element);
  };
  return element;
}
