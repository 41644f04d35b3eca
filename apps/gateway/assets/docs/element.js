/**
 * An element of the page. Text of a child is put in as text, never as markup.
 *
 * @param name of the tag, with classes behind points: `div.opblock`
 * @param attributes by name; a function is a listener, `undefined` leaves the attribute out
 */
export function element(name, attributes, ...children) {
  const [tag, ...classes] = name.split('.');
  const made = document.createElement(tag);
  made.classList.add(...classes);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(attribute, value);
    else if (value !== undefined) made.setAttribute(attribute, value);
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** A text in which what stands between backticks is code. */
export function prose(text) {
  return text.split('`').map((part, at) => (at % 2 === 1 ? element('code', {}, part) : part));
}
